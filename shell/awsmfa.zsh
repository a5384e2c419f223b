# awsmfa in zsh: `awsmfa use` and `awsmfa off` change this shell, everything else goes to the program.
# Load it in ~/.zshrc, after compinit, with: eval "$(awsmfa init zsh)"

# An alias would stand before the function. Command words are quoted below, so that no alias takes their place.
\builtin unalias awsmfa 2>/dev/null || \:

function awsmfa {
    # Whatever the person's options; and what is evaluated holds secrets, which a trace would show.
    \builtin emulate -L zsh -o no_all_export -o no_err_exit -o no_err_return -o no_xtrace
    case ${1-} in
        (use|off) ;;
        (*)
            \command awsmfa "$@"
            \return
            ;;
    esac
    \local block
    block=$(\command awsmfa --integration zsh "$@") && \builtin eval "$block"
}
