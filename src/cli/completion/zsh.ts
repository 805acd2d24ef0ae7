/** A completion script for zsh: works as a file in `fpath` and through `eval`. */
import {
  type CompletedCommand,
  type CompletedOption,
  type CompletionModel,
  TRAINER_EXTENSIONS,
  type ValueKind,
} from './model.ts';

export function zshCompletion({ commands, options }: CompletionModel): string {
  const described = commands.map(({ name, description }) => `    ${quoted(`${name}:${description}`)}`);
  return `#compdef nkat-recover
# zsh completion of nkat-recover. Put this into ~/.zshrc after compinit:
#   eval "$(nkat-recover completion zsh)"
_nkat_recover_sessions() {
  local -a sessions
  sessions=("\${(@f)$($nkat_recover complete-sessions 2>/dev/null | sed -e 's/:/\\\\:/g' -e $'s/\\t/:/')}")
  [[ -n "$sessions[1]" ]] && _describe -V session sessions
}
_nkat_recover() {
  local nkat_recover="\${(Q)words[1]/#\\~/$HOME}"
  local -a commands
  commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    if [[ "$words[2]" == -* ]]; then
      _arguments ${options.map(argumentOf).join(' ')}
    else
      _describe command commands
    fi
    return
  fi
  local command="$words[2]"
  shift words
  (( CURRENT -= 1 ))
  case "$command" in
${commands.map(commandArm).join('\n')}
  esac
}
if [[ "$funcstack[1]" == _nkat_recover ]]; then
  _nkat_recover "$@"
else
  compdef _nkat_recover nkat-recover
fi
`;
}

function commandArm(command: CompletedCommand): string {
  const own = command.commands.map(
    (inner) => `if (( CURRENT > 2 )) && [[ "$words[2]" == ${inner.name} ]]; then
        shift words
        (( CURRENT -= 1 ))
        ${argumentsOf(inner)}
        return
      fi
      `,
  );
  return `    ${command.name})\n      ${own.join('')}${argumentsOf(command)}\n      ;;`;
}

function argumentsOf({ options, operand, passesOn, commands }: CompletedCommand): string {
  const rest = passesOn ? [quoted('*:: :_files')] : [];
  const first = operand === null ? [] : [quoted(`1:${wordOf(operand)}:${firstAction(operand, commands)}`)];
  return ['_arguments -S', ...options.map(argumentOf), ...first, ...rest].join(' \\\n        ');
}

function firstAction(operand: ValueKind, commands: readonly CompletedCommand[]): string {
  if (commands.length === 0) return actionOf(operand);
  return `{ ${actionOf(operand)}; compadd ${commands.map(({ name }) => name).join(' ')} }`;
}

function argumentOf({ names, description, value }: CompletedOption): string {
  const text = `[${description.replaceAll(/[[\]\\:]/g, '\\$&')}]`;
  const takes = value.kind === 'none' ? '' : `:${wordOf(value)}:${actionOf(value)}`;
  const exclusive = names.length > 1 ? `(${names.join(' ')})` : '';
  // `--opt=value` as well as `--opt value`.
  const joined = (name: string): string => (takes !== '' && name.startsWith('--') ? `${name}=` : name);
  return names.map((name) => quoted(`${exclusive}${joined(name)}${text}${takes}`)).join(' ');
}

function wordOf({ kind }: ValueKind): string {
  return kind === 'choices' || kind === 'word' ? 'value' : kind;
}

function actionOf(value: ValueKind): string {
  switch (value.kind) {
    case 'file':
      return '_files';
    case 'folder':
      return '_files -/';
    case 'session':
      return '_nkat_recover_sessions';
    case 'trainer':
      // Where nothing fits, zsh offers every file: any executable may be trained with.
      return `_files -g "*.(${TRAINER_EXTENSIONS.join('|')})"`;
    case 'choices':
      return `(${value.choices.join(' ')})`;
    case 'none':
    case 'word':
      return ' ';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
