# Completion for awsmfa in zsh.

function _awsmfa {
    # What follows `--` is a command line of its own.
    \local -i end=${words[(i)--]}
    if [[ $words[2] == exec ]] && (( end < CURRENT )); then
        (( CURRENT -= end ))
        \shift $end words
        _normal
        \return
    fi
    \local -a candidates
    candidates=(${(f)"$(\command awsmfa complete zsh --word="${(Q)PREFIX}" -- "${(@Q)words[1,CURRENT-1]}")"})
    _describe awsmfa candidates
}

# Without compinit there is no completion to take part in.
(( ! ${+functions[compdef]} )) || \compdef _awsmfa awsmfa
