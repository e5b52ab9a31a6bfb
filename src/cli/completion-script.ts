import type { Command } from 'commander';

interface Words {
  /** `refresh`, `config show` -> options */
  options: Map<string, string[]>;
  commands: string[];
  groups: Map<string, string[]>;
}

function collect(program: Command): Words {
  const flagsOf = (command: Command) => command.options.flatMap((option) => option.long ?? []);
  const options = new Map<string, string[]>();
  const groups = new Map<string, string[]>();
  for (const command of program.commands) {
    if (command.commands.length > 0)
      groups.set(
        command.name(),
        command.commands.map((inner) => inner.name()),
      );
    const inner = command.commands.flatMap(flagsOf);
    options.set(command.name(), [...new Set([...flagsOf(command), ...inner, ...flagsOf(program)])].sort());
  }
  return { options, groups, commands: program.commands.map((command) => command.name()) };
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A completion script made from the command line itself, so it cannot fall behind. */
export function renderCompletion(program: Command, shell: Shell): string {
  const words = collect(program);
  if (shell === 'fish') return renderFish(words, program);
  const bash = renderBash(words);
  return shell === 'bash' ? bash : `autoload -U +X bashcompinit && bashcompinit\n${bash}`;
}

/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: the shell expands these */
function renderBash({ commands, options, groups }: Words): string {
  const cases = commands.map((name) => {
    const inner = groups.get(name);
    return `    ${name}) words="${[...(inner ?? []), ...(options.get(name) ?? [])].join(' ')}" ;;`;
  });
  return [
    '# eval "$(hublineage completion bash)"',
    '_hublineage() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" command="" word words',
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    '    case "$word" in -*) ;; *) command="$word"; break ;; esac',
    '  done',
    '  case "$command" in',
    ...cases,
    `    *) words="${commands.join(' ')}" ;;`,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _hublineage hublineage',
    '',
  ].join('\n');
}

/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: the shell expands these */

function renderFish({ commands, options, groups }: Words, program: Command): string {
  const describe = (name: string) =>
    (program.commands.find((command) => command.name() === name)?.description() ?? '').replaceAll("'", '');
  const lines = ['# hublineage completion fish | source', 'complete -c hublineage -f'];
  for (const name of commands) {
    lines.push(`complete -c hublineage -n __fish_use_subcommand -a ${name} -d '${describe(name)}'`);
    for (const inner of groups.get(name) ?? [])
      lines.push(`complete -c hublineage -n '__fish_seen_subcommand_from ${name}' -a ${inner}`);
    for (const flag of options.get(name) ?? [])
      lines.push(`complete -c hublineage -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}`);
  }
  return `${lines.join('\n')}\n`;
}
