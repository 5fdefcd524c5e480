# Completion of braze for bash.
_braze() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  local path= choices= flags= files= texts= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path ${COMP_WORDS[i]}" in
    " create-send-id" | " send-messages" | " trigger-campaign" | " schedule-messages" | " update-scheduled-messages" | " delete-scheduled-messages" | " schedule-campaign" | " update-scheduled-campaign" | " delete-scheduled-campaign" | " get-send-analytics" | " list-campaigns" | " get-campaign" | " list-scheduled-broadcasts" | " send-transactional" | " call" | " each" | " operations" | " ledger" | " ledger list" | " ledger show" | " ledger settle" | " ledger forget" | " ledger quota" | " doctor" | " completion") path="$path ${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path" in
  "")
    choices="create-send-id send-messages trigger-campaign schedule-messages update-scheduled-messages delete-scheduled-messages schedule-campaign update-scheduled-campaign delete-scheduled-campaign get-send-analytics list-campaigns get-campaign list-scheduled-broadcasts send-transactional call each operations ledger doctor completion"
    flags="--help --json --version"
    ;;
  " create-send-id")
    flags="--help --campaign-id --send-id --input --job --timeout --connect-timeout --retries --dry-run --json"
    files="--input"
    texts="--campaign-id --send-id --job --timeout --connect-timeout --retries"
    ;;
  " send-messages")
    flags="--help --broadcast --no-broadcast --external-user-ids --user-aliases --segment-id --audience --campaign-id --send-id --override-frequency-capping --no-override-frequency-capping --recipient-subscription-state --messages --input --job --timeout --connect-timeout --retries --yes --dry-run --json"
    files="--external-user-ids --user-aliases --audience --messages --input"
    texts="--segment-id --campaign-id --send-id --recipient-subscription-state --job --timeout --connect-timeout --retries"
    ;;
  " trigger-campaign")
    flags="--help --campaign-id --send-id --trigger-properties --broadcast --no-broadcast --audience --recipients --attachments --input --job --timeout --connect-timeout --retries --yes --dry-run --json"
    files="--trigger-properties --audience --recipients --attachments --input"
    texts="--campaign-id --send-id --job --timeout --connect-timeout --retries"
    ;;
  " schedule-messages")
    flags="--help --broadcast --no-broadcast --external-user-ids --user-aliases --segment-id --audience --campaign-id --send-id --override-messaging-limits --no-override-messaging-limits --recipient-subscription-state --schedule --messages --input --job --timeout --connect-timeout --retries --yes --dry-run --json"
    files="--external-user-ids --user-aliases --audience --schedule --messages --input"
    texts="--segment-id --campaign-id --send-id --recipient-subscription-state --job --timeout --connect-timeout --retries"
    ;;
  " update-scheduled-messages")
    flags="--help --schedule-id --schedule --messages --input --job --timeout --connect-timeout --retries --dry-run --json"
    files="--schedule --messages --input"
    texts="--schedule-id --job --timeout --connect-timeout --retries"
    ;;
  " delete-scheduled-messages")
    flags="--help --schedule-id --input --job --timeout --connect-timeout --retries --dry-run --json"
    files="--input"
    texts="--schedule-id --job --timeout --connect-timeout --retries"
    ;;
  " schedule-campaign")
    flags="--help --campaign-id --send-id --recipients --audience --broadcast --no-broadcast --trigger-properties --schedule --input --job --timeout --connect-timeout --retries --yes --dry-run --json"
    files="--recipients --audience --trigger-properties --schedule --input"
    texts="--campaign-id --send-id --job --timeout --connect-timeout --retries"
    ;;
  " update-scheduled-campaign")
    flags="--help --campaign-id --schedule-id --schedule --input --job --timeout --connect-timeout --retries --dry-run --json"
    files="--schedule --input"
    texts="--campaign-id --schedule-id --job --timeout --connect-timeout --retries"
    ;;
  " delete-scheduled-campaign")
    flags="--help --campaign-id --schedule-id --input --job --timeout --connect-timeout --retries --dry-run --json"
    files="--input"
    texts="--campaign-id --schedule-id --job --timeout --connect-timeout --retries"
    ;;
  " get-send-analytics")
    flags="--help --campaign-id --send-id --length --ending-at --input --timeout --connect-timeout --retries --dry-run --json"
    files="--input"
    texts="--campaign-id --send-id --length --ending-at --timeout --connect-timeout --retries"
    ;;
  " list-campaigns")
    flags="--help --page --include-archived --no-include-archived --sort-direction --last-edit-time-gt --input --timeout --connect-timeout --retries --dry-run --json"
    files="--input"
    texts="--page --sort-direction --last-edit-time-gt --timeout --connect-timeout --retries"
    ;;
  " get-campaign")
    flags="--help --campaign-id --post-launch-draft-version --no-post-launch-draft-version --include-has-translatable-content --no-include-has-translatable-content --input --timeout --connect-timeout --retries --dry-run --json"
    files="--input"
    texts="--campaign-id --timeout --connect-timeout --retries"
    ;;
  " list-scheduled-broadcasts")
    flags="--help --end-time --input --timeout --connect-timeout --retries --dry-run --json"
    files="--input"
    texts="--end-time --timeout --connect-timeout --retries"
    ;;
  " send-transactional")
    flags="--help --campaign-id --external-send-id --trigger-properties --recipient --input --job --timeout --connect-timeout --retries --dry-run --json"
    files="--trigger-properties --recipient --input"
    texts="--campaign-id --external-send-id --job --timeout --connect-timeout --retries"
    ;;
  " call")
    choices="create-send-id send-messages trigger-campaign schedule-messages update-scheduled-messages delete-scheduled-messages schedule-campaign update-scheduled-campaign delete-scheduled-campaign get-send-analytics list-campaigns get-campaign list-scheduled-broadcasts send-transactional"
    flags="--help --input --query --repeatable --job --timeout --connect-timeout --retries --yes --dry-run --json"
    files="--input"
    texts="--query --job --timeout --connect-timeout --retries"
    ;;
  " each")
    choices="get-send-analytics list-campaigns list-scheduled-broadcasts"
    flags="--help --input --query --items --max-pages --timeout --connect-timeout --retries --json"
    files="--input"
    texts="--query --items --max-pages --timeout --connect-timeout --retries"
    ;;
  " operations")
    flags="--help --json"
    ;;
  " ledger")
    choices="list show settle forget quota"
    flags="--help"
    ;;
  " ledger list")
    flags="--help --state --json"
    texts="--state"
    ;;
  " ledger show")
    flags="--help --json"
    ;;
  " ledger settle")
    choices="done not-done"
    flags="--help --json"
    ;;
  " ledger forget")
    flags="--help --json"
    ;;
  " ledger quota")
    flags="--help --json"
    ;;
  " doctor")
    flags="--help --json"
    ;;
  " completion")
    choices="bash zsh fish"
    flags="--help"
    ;;
  esac
  compopt -o filenames 2>/dev/null
  # "@" is a word of its own for bash.
  if [[ $prev == @ ]]; then COMPREPLY=($(compgen -f -- "$cur")); return; fi
  if [[ $cur == @ ]]; then COMPREPLY=($(compgen -f)); return; fi
  case " $files " in *" $prev "*) COMPREPLY=($(compgen -f -- "$cur")); return ;; esac
  compopt +o filenames 2>/dev/null
  case " $texts " in *" $prev "*) return ;; esac
  if [[ $cur == -* ]]; then choices=$flags; fi
  COMPREPLY=($(compgen -W "$choices" -- "$cur"))
}
complete -F _braze braze
