# awsmfa in fish: `awsmfa use` and `awsmfa off` change this shell, everything else goes to the program.
# Load it in ~/.config/fish/config.fish with: awsmfa init fish | source

function awsmfa --description 'Temporary AWS credentials from an MFA token code'
    if not contains -- "$argv[1]" use off
        command awsmfa $argv
        return
    end
    # What is evaluated holds secrets, which a trace would show.
    set -l fish_trace
    # In a command substitution, standard error would not go where the function's goes.
    command awsmfa --integration fish $argv | read --local --null block
    set -l code $pipestatus[1]
    test $code -eq 0; or return $code
    eval $block
end
