# Completion of ossloopctl in bash. `ossloopctl complete WORD ...` tells what may stand in
# place of the last word: a line for each, a tab before what it means; or, behind a colon,
# whose business it is.

# bash takes '=' for a word of its own: puts together what the user typed as one, and tells
# where each word begins.
_ossloopctl_words() {
  local i word joined=0
  words=() places=()
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((${#words[@]} > 0)) && { ((joined)) || [[ $word == = ]]; }; then
      words[-1]+=$word
    else
      words+=("$word") places+=("$i")
    fi
    joined=0
    [[ $word == = ]] && joined=1
  done
}

_ossloopctl() {
  local words places current line offset
  COMPREPLY=()
  _ossloopctl_words
  current=${words[-1]}
  while IFS= read -r line; do
    case $line in
      :files) compopt -o default 2>/dev/null ;;
      :program\ *)
        offset=${places[${line#:program }]}
        if declare -F _command_offset >/dev/null; then
          _command_offset "$offset"
        elif ((offset == COMP_CWORD)); then
          mapfile -t COMPREPLY < <(compgen -c -- "$current")
        else
          compopt -o default 2>/dev/null
        fi
        return
        ;;
      *)
        line=${line%%$'\t'*}
        [[ $line == "$current"* ]] && COMPREPLY+=("$line")
        ;;
    esac
  done < <("${1/#\~\//$HOME/}" complete "${words[@]}" 2>/dev/null)
  [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null
  # What stands before the last '=' is there already.
  if [[ $current == *=* && $COMP_WORDBREAKS == *=* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${current%=*}="}")
  fi
}

complete -F _ossloopctl ossloopctl
