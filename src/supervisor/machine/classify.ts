/** Words of the exit classification (design section 3). */
export type ExitClass =
  | 'completed'
  | 'fatal'
  | 'requested'
  | 'interrupted'
  | 'config'
  | 'host-oom'
  | 'killed'
  | 'native-crash'
  | 'error'
  | 'diverged'
  | 'disk-full'
  | 'hang'
  | 'vanished'
  | 'power-cut';
