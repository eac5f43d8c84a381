# Completion of ossloopctl in fish. `ossloopctl complete WORD ...` tells what may stand in
# place of the last word: a line for each, a tab before what it means; or, behind a colon,
# whose business it is.

function __ossloopctl_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (command $words[1] complete $words[2..-1] 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path (commandline -ct)
            case ':program *'
                set -l first (math (string replace ':program ' '' -- $line) + 2)
                complete -C (string join ' ' -- (string escape -- $words[$first..-2]) $words[-1])
            case '*'
                echo $line
        end
    end
end

complete -c ossloopctl -f -k -a '(__ossloopctl_complete)'
