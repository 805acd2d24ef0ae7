/** A completion script for fish. */
import {
  type CompletedCommand,
  type CompletedOption,
  type CompletionModel,
  TRAINER_EXTENSIONS,
  type ValueKind,
} from './model.ts';

export function fishCompletion({ commands, options }: CompletionModel): string {
  const lines = commands.flatMap((command) => [
    `${COMPLETE} -n __nkat_recover_no_command -a ${command.name} -d ${quoted(command.description)}`,
    ...insideLines(command, command.name),
  ]);
  const own = options.map((option) => `${COMPLETE} -n __nkat_recover_no_command ${optionWords(option)}`);
  return `# fish completion of nkat-recover:
#   nkat-recover completion fish > ~/.config/fish/completions/nkat-recover.fish
function __nkat_recover_no_command
    test (count (commandline -opc)) -eq 1
end
function __nkat_recover_in
    set -l words (commandline -opc)
    set -l last (math (count $argv) + 1)
    test (count $words) -ge $last; and test "$words[2..$last]" = "$argv"
end
function __nkat_recover_sessions
    set -l words (commandline -opc)
    eval $words[1] complete-sessions 2>/dev/null
end
function __nkat_recover_trainers
    __fish_complete_directories
    for extension in ${TRAINER_EXTENSIONS.join(' ')}
        __fish_complete_suffix .$extension
    end
end
complete -c nkat-recover -f
${[...own, ...lines].join('\n')}
`;
}

/** What may stand behind a command; behind a command of its own only what that takes. @param path its words */
function insideLines({ options, operand, commands }: CompletedCommand, path: string): string[] {
  const elsewhere = commands.map(({ name }) => `; and not __nkat_recover_in ${path} ${name}`);
  const inside = `${COMPLETE} -n ${quoted(`__nkat_recover_in ${path}${elsewhere.join('')}`)}`;
  return [
    ...options.map((option) => `${inside} ${optionWords(option)}`),
    ...(operand === null ? [] : [`${inside} ${takes(operand)}`]),
    ...commands.flatMap((command) => [
      `${inside} -a ${command.name} -d ${quoted(command.description)}`,
      ...insideLines(command, `${path} ${command.name}`),
    ]),
  ];
}

const COMPLETE = 'complete -c nkat-recover';

function optionWords({ names, description, value }: CompletedOption): string {
  const words = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  return [
    ...words,
    ...(value.kind === 'none' ? [] : [`${value.kind === 'file' ? '-r' : '-x'} ${takes(value)}`]),
    `-d ${quoted(description)}`,
  ]
    .join(' ')
    .replaceAll(/ +/g, ' ');
}

function takes(value: ValueKind): string {
  switch (value.kind) {
    case 'file':
      return '-F';
    case 'folder':
      return "-a '(__fish_complete_directories)'";
    case 'session':
      return "-k -a '(__nkat_recover_sessions)'";
    case 'trainer':
      return "-a '(__nkat_recover_trainers)'";
    case 'choices':
      return `-a ${quoted(value.choices.join(' '))}`;
    case 'none':
    case 'word':
      return '';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}
