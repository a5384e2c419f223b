# Completion for awsmfa in fish.

function __awsmfa_complete
    set -l words (commandline --tokenize --current-process --cut-at-cursor)
    set -l word (commandline --current-token --cut-at-cursor)
    # What follows `--` is a command line of its own.
    if set -l end (contains --index -- -- $words); and test "$words[2]" = exec
        set -e words[1..$end]
        __fish_complete_subcommand --commandline (string escape -- $words) $word
        return
    end
    command awsmfa complete fish --word=(string unescape -- $word; or echo $word) -- $words
end

complete --command awsmfa --no-files --keep-order --arguments '(__awsmfa_complete)'
