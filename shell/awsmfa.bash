# shellcheck shell=bash
# awsmfa in bash: `awsmfa use` and `awsmfa off` change this shell, everything else goes to the program.
# Load it in ~/.bashrc with: eval "$(awsmfa init bash)"

# An alias would stand before the function. Command words are quoted below, so that no alias takes their place.
\unalias awsmfa 2>/dev/null || \:

function awsmfa {
    case ${1-} in
        use | off) ;;
        *)
            \command awsmfa "$@"
            \return
            ;;
    esac
    \local block code=0 trace=${-//[!vx]/}
    # What is evaluated holds secrets, which a trace would show.
    { \set +vx; } 2>/dev/null
    block=$(\command awsmfa --integration bash "$@") && \eval "$block" || code=$?
    [[ -z $trace ]] || \set "-$trace"
    \return "$code"
}
