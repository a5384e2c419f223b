# awsmfa in PowerShell: `awsmfa use` and `awsmfa off` change this shell, everything else goes to the program.
# Load it in $PROFILE with: awsmfa init powershell | Out-String | Invoke-Expression

function global:awsmfa {
    $program = @(Get-Command -Name awsmfa -CommandType Application -ErrorAction Stop)[0].Source
    if ($args.Count -eq 0 -or $args[0] -cnotin 'use', 'off') {
        if ($MyInvocation.ExpectingInput) { $input | & $program @args } else { & $program @args }
        return
    }
    # The status is the program's: it stays in $LASTEXITCODE.
    $block = & $program --integration powershell @args | Out-String
    if ($LASTEXITCODE -eq 0 -and $block) { Invoke-Expression -Command $block }
}
