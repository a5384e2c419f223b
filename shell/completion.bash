# shellcheck shell=bash
# Completion for awsmfa in bash.

function _awsmfa_complete {
    \local i
    if [[ ${COMP_WORDS[1]-} == exec ]]; then
        for ((i = 2; i < COMP_CWORD; i++)); do
            [[ ${COMP_WORDS[i]} == -- ]] || \continue
            # What follows is a command line of its own.
            if \declare -F _command_offset >/dev/null; then
                _command_offset $((i + 1))
            elif ((COMP_CWORD == i + 1)); then
                # shellcheck disable=SC2207
                COMPREPLY=($(\compgen -c -- "$2"))
            else
                \compopt -o default
            fi
            \return
        done
    fi

    # bash cuts words at COMP_WORDBREAKS, `a@b:c` too: pieces that nothing parts on the line are one word.
    \local line="${COMP_LINE:0:COMP_POINT}" piece words
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        piece=${line%%[![:space:]]*}
        if [[ $i == 0 || $piece ]]; then
            words+=('')
            line=${line#"$piece"}
        fi
        piece=${COMP_WORDS[i]}
        ((i < COMP_CWORD)) || piece=$line
        words[${#words[@]} - 1]+=$piece
        line=${line#"$piece"}
    done
    words=("${words[@]//[\"\'\\]/}")
    \local word="${words[${#words[@]} - 1]}"
    \unset 'words[${#words[@]} - 1]'

    \local IFS=$'\n'
    # No candidate holds a blank or anything else that a shell would take for more than itself.
    # shellcheck disable=SC2207
    COMPREPLY=($(\command awsmfa complete bash --word="$word" -- "${words[@]}"))
    # bash replaces only the last piece.
    [[ -z ${COMPREPLY-} ]] || COMPREPLY=("${COMPREPLY[@]#"${word%"$2"}"}")
}

\complete -F _awsmfa_complete awsmfa
