# Completion for awsmfa in PowerShell.

Register-ArgumentCompleter -Native -CommandName awsmfa -ScriptBlock {
    param($word, $commandAst, $cursor)
    $program = @(Get-Command -Name awsmfa -CommandType Application -ErrorAction Stop)[0].Source
    $before = $commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor }
    $words = @($before | ForEach-Object { $_.Extent.Text.Trim('''"') })
    & $program complete powershell "--word=$word" -- @words | ForEach-Object {
        $value, $description = $_ -split "`t", 2
        if (-not $description) { $description = $value }
        # A word that begins with @ would be taken for a variable's.
        $text = if ($value.StartsWith('@')) { "'$value'" } else { $value }
        [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $description)
    }
}
