#compdef ossloopctl
# Completion of ossloopctl in zsh. `ossloopctl complete WORD ...` tells what may stand in
# place of the last word: a line for each, a tab before what it means; or, behind a colon,
# whose business it is.

_ossloopctl() {
  local line
  local -a lines whole begun
  lines=("${(@f)$("${${(Q)words[1]}/#\~\//$HOME/}" complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "${lines[@]}"; do
    case $line in
      '') ;;
      :files) _files ;;
      ':program '*)
        local -i before=$((${line#:program } + 1))
        shift before words
        ((CURRENT -= before))
        _normal
        return
        ;;
      *=$'\t'*) begun+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
      *) whole+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
    esac
  done
  ((${#whole})) && _describe -V ossloopctl whole
  ((${#begun})) && _describe -V policies begun -S ''
}

if [[ ${funcstack[1]-} == _ossloopctl ]]; then
  _ossloopctl "$@"
else
  compdef _ossloopctl ossloopctl
fi
