rem awsmfa in cmd, at its prompt: `awsmfa use` and `awsmfa off` change this window, everything else goes to the program.
doskey awsmfa=if "$1"=="use" (for /f "delims=" %i in ('awsmfa --integration cmd $*') do @%i >NUL 2>&1) else if "$1"=="off" (for /f "delims=" %i in ('awsmfa --integration cmd $*') do @%i >NUL 2>&1) else awsmfa $*
