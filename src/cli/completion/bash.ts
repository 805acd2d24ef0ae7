/** A completion script for bash 3.2 and later, as macOS still has it, without the bash-completion package. */
import { type CompletedCommand, type CompletionModel, TRAINER_EXTENSIONS, type ValueKind } from './model.ts';

export function bashCompletion({ commands, options }: CompletionModel): string {
  const names = [...commands.map(({ name }) => name), ...options.flatMap((option) => option.names)];
  return `# bash completion of nkat-recover. Put this into ~/.bashrc:
#   eval "$(nkat-recover completion bash)"
${HELPERS}
_nkat_recover() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" word at
  local options='' valued=' ' operand=none passes_on=no value='' operands=0 ended=no skip=no prefix='' from=2 names=''
  COMPREPLY=()
  # --opt=value is three words, or one where = was taken out of COMP_WORDBREAKS.
  if [ "$current" = = ]; then current=''
  elif [ "$previous" = = ]; then previous="\${COMP_WORDS[COMP_CWORD - 2]}"
  elif [ "\${current#--*=}" != "$current" ]; then
    previous="\${current%%=*}" prefix="\${current%%=*}=" current="\${current#*=}"
  fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    _nkat_recover_words ${quoted(names.join(' '))}
    return
  fi
  case "\${COMP_WORDS[1]}" in
${commands.map(commandArm).join('\n')}
    *) return ;;
  esac
  for ((at = from; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    if [ $skip = yes ]; then [ "$word" = = ] || skip=no
    elif [ $ended = no ] && [ "$word" = -- ]; then ended=yes
    elif [ $ended = no ] && [ "\${word#-}" != "$word" ]; then
      case "$valued" in *" $word "*) skip=yes ;; esac
    else operands=$((operands + 1)); [ $passes_on = yes ] && ended=yes
    fi
  done
  if [ -n "$prefix" ]; then
    [ $ended = no ] || value=file
    _nkat_recover_value "$value"
    COMPREPLY=("\${COMPREPLY[@]/#/$prefix}")
  elif [ $skip = yes ]; then _nkat_recover_value "$value"
  elif [ $operands -gt 0 ] && [ $ended = yes ]; then _nkat_recover_value file
  elif [ $ended = yes ]; then
    if [ $operand = trainer ]; then _nkat_recover_value command; else _nkat_recover_value file; fi
  elif [ "\${current#-}" != "$current" ]; then _nkat_recover_words "$options"
  elif [ $operands -eq 0 ]; then
    _nkat_recover_value "$operand"
    [ "$COMP_CWORD" -ne 2 ] || COMPREPLY+=($(IFS=' '; compgen -W "$names" -- "$current"))
  fi
}
complete -F _nkat_recover nkat-recover
`;
}

/**
 * The shell expands what `compgen -W` is given, so only plain words may come there: commands, options, and what
 * `complete-sessions` prints, which leaves out names with any other character.
 */
const HELPERS = `_nkat_recover_words() {
  local IFS=$' \\t\\n'
  COMPREPLY=($(compgen -W "$1" -- "$current"))
}
_nkat_recover_value() {
  local IFS=$'\\n'
  case "$1" in
    file | trainer | folder | command) compopt -o filenames 2>/dev/null ;;
  esac
  case "$1" in
    file) COMPREPLY=($(compgen -f -- "$current")) ;;
    folder) COMPREPLY=($(compgen -d -- "$current")) ;;
    command) COMPREPLY=($(compgen -c -- "$current")) ;;
    trainer)
      COMPREPLY=($(compgen -d -- "$current"
        compgen -f -- "$current" | grep -E '\\.(${TRAINER_EXTENSIONS.join('|')})$'))
      [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
      ;;
    session)
      COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]/#\\~/$HOME}" complete-sessions 2>/dev/null | cut -f 1)" -- "$current"))
      ;;
    choices:*) _nkat_recover_words "\${1#choices:}" ;;
  esac
}`;

function commandArm(command: CompletedCommand): string {
  const { name, commands } = command;
  const lines = [
    ...factLines(command),
    ...(commands.length === 0 ? [] : [`names=${quoted(commands.map((own) => own.name).join(' '))}`]),
    // Only once it was typed to its end: until then it may be the first word of the outer command.
    ...commands.flatMap((own) => [
      `if [ "$COMP_CWORD" -gt 2 ] && [ "\${COMP_WORDS[2]}" = ${own.name} ]; then`,
      ...['from=3', ...factLines(own)].map((text) => `  ${text}`),
      'fi',
    ]),
  ];
  return `    ${name})\n${lines.map((text) => `      ${text}`).join('\n')}\n      ;;`;
}

/** What the shell has to know of a command, as assignments. */
function factLines({ options, operand, passesOn }: CompletedCommand): string[] {
  const valued = options.filter(({ value }) => value.kind !== 'none');
  const arms = valued.map((option) => `${option.names.join(' | ')}) value=${quoted(kindWord(option.value))} ;;`);
  return [
    `options=${quoted(options.flatMap((option) => option.names).join(' '))}`,
    `valued=${quoted(` ${valued.flatMap((option) => option.names).join(' ')} `)}`,
    `operand=${quoted(operand === null ? 'none' : kindWord(operand))}`,
    ...(passesOn ? ['passes_on=yes'] : []),
    ...(arms.length === 0 ? [] : [`case "$previous" in ${arms.join(' ')} esac`]),
  ];
}

function kindWord(value: ValueKind): string {
  return value.kind === 'choices' ? `choices:${value.choices.join(' ')}` : value.kind;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
