/** The table of `docs/configuration.md`, so that it cannot tell anything but what the program does. */
import { environmentName, SETTINGS } from './definitions.ts';
import { GROUP_NAMES, GROUPS, MANUAL_NAMES, NAMES_IN_GROUP } from './file-keys.ts';

export function settingsMarkdown(): string {
  const rows = SETTINGS.map((definition) => {
    const { key, flag, placeholder, description, accepts } = definition;
    const group = GROUP_NAMES.find((name) => GROUPS[name].includes(key)) ?? '';
    const inGroup = group === '' ? [] : [...(NAMES_IN_GROUP[group] ?? [])].filter(([, meant]) => meant === key);
    const all = [key, ...(MANUAL_NAMES[key] ?? []), ...inGroup.map(([name]) => name)];
    const names = all.map((name) => `\`${name}\``).join(', ');
    const option = `\`--${flag}${placeholder === null ? '' : ` ${placeholder}`}\``;
    const cells = [names, group, option, `\`${environmentName(definition)}\``, description, accepts];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [
    '| key in a file | group | flag | variable | what it is | accepted |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
