# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_wal_global_optspecs
    string join \n h/help V/version
end

function __fish_wal_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_wal_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_wal_using_subcommand
    set -l cmd (__fish_wal_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c wal -n "__fish_wal_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wal -n "__fish_wal_needs_command" -s V -l version -d 'Print version'
complete -c wal -n "__fish_wal_needs_command" -f -a "append" -d 'Append records, one per line of the files or of standard input'
complete -c wal -n "__fish_wal_needs_command" -f -a "cat" -d 'Print records'
complete -c wal -n "__fish_wal_needs_command" -f -a "follow" -d 'Print records as they are appended, also by another process'
complete -c wal -n "__fish_wal_needs_command" -f -a "info" -d 'Show segments, watermarks, sizes and times'
complete -c wal -n "__fish_wal_needs_command" -f -a "verify" -d 'Check every checksum, chain, header and footer'
complete -c wal -n "__fish_wal_needs_command" -f -a "repair" -d 'Make a damaged log usable again, keeping a copy of what is changed'
complete -c wal -n "__fish_wal_needs_command" -f -a "trim" -d 'Drop the records before an LSN (the head)'
complete -c wal -n "__fish_wal_needs_command" -f -a "truncate" -d 'Drop the records after an LSN (the tail)'
complete -c wal -n "__fish_wal_needs_command" -f -a "get" -d 'Print a value of the log\'s key-value state'
complete -c wal -n "__fish_wal_needs_command" -f -a "set" -d 'Set or delete a value of the log\'s key-value state'
complete -c wal -n "__fish_wal_needs_command" -f -a "export" -d 'Write the log as a checksummed stream to standard output'
complete -c wal -n "__fish_wal_needs_command" -f -a "import" -d 'Make or continue a log from a stream on standard input'
complete -c wal -n "__fish_wal_needs_command" -f -a "copy" -d 'Make a consistent copy, also beside a live writer'
complete -c wal -n "__fish_wal_needs_command" -f -a "bench" -d 'Measure rate and latency of appends in a directory'
complete -c wal -n "__fish_wal_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wal -n "__fish_wal_using_subcommand append" -l durability -d 'What an acknowledgement promises' -r -f -a "disk\t'The record survives power loss'
os\t'The record survives the death of the process'
buffered\t'The record is in memory'"
complete -c wal -n "__fish_wal_using_subcommand append" -l batch -d 'Append exactly N records per batch (the last one of an input may be smaller). By default a batch is what one read of the input brought' -r
complete -c wal -n "__fish_wal_using_subcommand append" -l segment-bytes -d 'Size of the segments started from now on' -r
complete -c wal -n "__fish_wal_using_subcommand append" -l delimiter -d 'Records end with this byte: itself, \\n, \\t, \\r, \\0, \\\\ or \\xHH' -r
complete -c wal -n "__fish_wal_using_subcommand append" -l null -d 'Records end with a NUL byte'
complete -c wal -n "__fish_wal_using_subcommand append" -l ack -d 'Print FIRST-LAST, a line per batch, the moment it is acknowledged'
complete -c wal -n "__fish_wal_using_subcommand append" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wal -n "__fish_wal_using_subcommand cat" -l from -d 'The first record to print' -r
complete -c wal -n "__fish_wal_using_subcommand cat" -l to -d 'The last record to print' -r
complete -c wal -n "__fish_wal_using_subcommand cat" -l since -d 'Only records committed at this time or later: RFC 3339, or how long ago, as in 10m' -r
complete -c wal -n "__fish_wal_using_subcommand cat" -l limit -d 'Print at most N records' -r
complete -c wal -n "__fish_wal_using_subcommand cat" -l format -d 'How records are printed' -r -f -a "raw\t'The record\'s bytes and a newline (or NUL)'
jsonl\t'A JSON object per line: lsn, time, bytes and text, or base64 where it is not UTF-8'
hex\t'A hex dump for people'"
complete -c wal -n "__fish_wal_using_subcommand cat" -l reverse -d 'Print the newest first'
complete -c wal -n "__fish_wal_using_subcommand cat" -l null -d 'End raw records with a NUL byte instead of a newline'
complete -c wal -n "__fish_wal_using_subcommand cat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wal -n "__fish_wal_using_subcommand follow" -l from -d 'Where to begin: an LSN, start or end' -r
complete -c wal -n "__fish_wal_using_subcommand follow" -l format -d 'How records are printed' -r -f -a "raw\t'The record\'s bytes and a newline (or NUL)'
jsonl\t'A JSON object per line: lsn, time, bytes and text, or base64 where it is not UTF-8'
hex\t'A hex dump for people'"
complete -c wal -n "__fish_wal_using_subcommand follow" -l null -d 'End raw records with a NUL byte instead of a newline'
complete -c wal -n "__fish_wal_using_subcommand follow" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wal -n "__fish_wal_using_subcommand info" -l json -d 'Print a JSON object instead; its keys are documented and stay'
complete -c wal -n "__fish_wal_using_subcommand info" -s h -l help -d 'Print help'
complete -c wal -n "__fish_wal_using_subcommand verify" -l json -d 'Print a JSON object instead; its keys are documented and stay'
complete -c wal -n "__fish_wal_using_subcommand verify" -s h -l help -d 'Print help'
complete -c wal -n "__fish_wal_using_subcommand repair" -l dry-run -d 'Only say what would be done; exit code 1 when that is anything'
complete -c wal -n "__fish_wal_using_subcommand repair" -s h -l help -d 'Print help'
complete -c wal -n "__fish_wal_using_subcommand trim" -l before -d 'The first record to keep' -r
complete -c wal -n "__fish_wal_using_subcommand trim" -s h -l help -d 'Print help'
complete -c wal -n "__fish_wal_using_subcommand truncate" -l after -d 'The last record to keep' -r
complete -c wal -n "__fish_wal_using_subcommand truncate" -s h -l help -d 'Print help'
complete -c wal -n "__fish_wal_using_subcommand get" -s h -l help -d 'Print help'
complete -c wal -n "__fish_wal_using_subcommand set" -s h -l help -d 'Print help'
complete -c wal -n "__fish_wal_using_subcommand export" -s h -l help -d 'Print help'
complete -c wal -n "__fish_wal_using_subcommand import" -l durability -d 'What an acknowledgement promises while the import runs; at its end all of it is on disk' -r -f -a "disk\t'The record survives power loss'
os\t'The record survives the death of the process'
buffered\t'The record is in memory'"
complete -c wal -n "__fish_wal_using_subcommand import" -l segment-bytes -d 'Size of the segments started from now on' -r
complete -c wal -n "__fish_wal_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wal -n "__fish_wal_using_subcommand copy" -s h -l help -d 'Print help'
complete -c wal -n "__fish_wal_using_subcommand bench" -l size -d 'Bytes per record' -r
complete -c wal -n "__fish_wal_using_subcommand bench" -l threads -d 'Threads, each waiting for one append at a time' -r
complete -c wal -n "__fish_wal_using_subcommand bench" -l durability -d 'What an acknowledgement promises' -r -f -a "disk\t'The record survives power loss'
os\t'The record survives the death of the process'
buffered\t'The record is in memory'"
complete -c wal -n "__fish_wal_using_subcommand bench" -l seconds -d 'How long to measure' -r
complete -c wal -n "__fish_wal_using_subcommand bench" -l json -d 'Print a JSON object instead; its keys are documented and stay'
complete -c wal -n "__fish_wal_using_subcommand bench" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wal -n "__fish_wal_using_subcommand help; and not __fish_seen_subcommand_from append cat follow info verify repair trim truncate get set export import copy bench help" -f -a "append" -d 'Append records, one per line of the files or of standard input'
complete -c wal -n "__fish_wal_using_subcommand help; and not __fish_seen_subcommand_from append cat follow info verify repair trim truncate get set export import copy bench help" -f -a "cat" -d 'Print records'
complete -c wal -n "__fish_wal_using_subcommand help; and not __fish_seen_subcommand_from append cat follow info verify repair trim truncate get set export import copy bench help" -f -a "follow" -d 'Print records as they are appended, also by another process'
complete -c wal -n "__fish_wal_using_subcommand help; and not __fish_seen_subcommand_from append cat follow info verify repair trim truncate get set export import copy bench help" -f -a "info" -d 'Show segments, watermarks, sizes and times'
complete -c wal -n "__fish_wal_using_subcommand help; and not __fish_seen_subcommand_from append cat follow info verify repair trim truncate get set export import copy bench help" -f -a "verify" -d 'Check every checksum, chain, header and footer'
complete -c wal -n "__fish_wal_using_subcommand help; and not __fish_seen_subcommand_from append cat follow info verify repair trim truncate get set export import copy bench help" -f -a "repair" -d 'Make a damaged log usable again, keeping a copy of what is changed'
complete -c wal -n "__fish_wal_using_subcommand help; and not __fish_seen_subcommand_from append cat follow info verify repair trim truncate get set export import copy bench help" -f -a "trim" -d 'Drop the records before an LSN (the head)'
complete -c wal -n "__fish_wal_using_subcommand help; and not __fish_seen_subcommand_from append cat follow info verify repair trim truncate get set export import copy bench help" -f -a "truncate" -d 'Drop the records after an LSN (the tail)'
complete -c wal -n "__fish_wal_using_subcommand help; and not __fish_seen_subcommand_from append cat follow info verify repair trim truncate get set export import copy bench help" -f -a "get" -d 'Print a value of the log\'s key-value state'
complete -c wal -n "__fish_wal_using_subcommand help; and not __fish_seen_subcommand_from append cat follow info verify repair trim truncate get set export import copy bench help" -f -a "set" -d 'Set or delete a value of the log\'s key-value state'
complete -c wal -n "__fish_wal_using_subcommand help; and not __fish_seen_subcommand_from append cat follow info verify repair trim truncate get set export import copy bench help" -f -a "export" -d 'Write the log as a checksummed stream to standard output'
complete -c wal -n "__fish_wal_using_subcommand help; and not __fish_seen_subcommand_from append cat follow info verify repair trim truncate get set export import copy bench help" -f -a "import" -d 'Make or continue a log from a stream on standard input'
complete -c wal -n "__fish_wal_using_subcommand help; and not __fish_seen_subcommand_from append cat follow info verify repair trim truncate get set export import copy bench help" -f -a "copy" -d 'Make a consistent copy, also beside a live writer'
complete -c wal -n "__fish_wal_using_subcommand help; and not __fish_seen_subcommand_from append cat follow info verify repair trim truncate get set export import copy bench help" -f -a "bench" -d 'Measure rate and latency of appends in a directory'
complete -c wal -n "__fish_wal_using_subcommand help; and not __fish_seen_subcommand_from append cat follow info verify repair trim truncate get set export import copy bench help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
