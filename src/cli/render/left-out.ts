/** Said when the reader of our words keeps up again. */
export function leftOutText(characters: number): string {
  return `About ${characters} characters of output and progress were not shown here, since they were not read in time; the session's log has the output`;
}
