# shellcheck shell=sh
# awsmfa in a POSIX shell: `awsmfa use` and `awsmfa off` change this shell, everything else goes to the program.
# Load it in the file that ENV names with: eval "$(awsmfa init sh)"

# An alias would stand before the function. Command words are quoted below, so that no alias takes their place.
\unalias awsmfa 2>/dev/null || \:

awsmfa() {
    case ${1-} in
        use | off) ;;
        *)
            \command awsmfa "$@"
            \return
            ;;
    esac
    # What is evaluated holds secrets, which a trace would show.
    _awsmfa_trace=
    case $- in *v*) _awsmfa_trace=v ;; esac
    case $- in *x*) _awsmfa_trace=x$_awsmfa_trace ;; esac
    { \set +vx; } 2>/dev/null
    _awsmfa_block=$(\command awsmfa --integration sh "$@") && \eval "$_awsmfa_block"
    # There are no local variables here: the arguments are, and are no longer needed.
    \set -- "$?" "$_awsmfa_trace"
    \unset _awsmfa_block _awsmfa_trace
    case $2 in ?*) \set "-$2" ;; esac
    \return "$1"
}
