# awsmfa in fish: `awsmfa use` and `awsmfa off` change this shell, everything else goes to the program.
# Load it in ~/.config/fish/config.fish with: awsmfa init fish | source

function awsmfa --description 'Temporary AWS credentials from an MFA token code'
    if not contains -- "$argv[1]" use off
        command awsmfa $argv
        return
    end
    # What is evaluated holds secrets, which a trace would show.
    set -l fish_trace
    set -l block (command awsmfa --integration fish $argv)
    or return
    eval (string join \n -- $block | string collect)
end
