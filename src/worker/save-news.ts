/** What the SDK's thread tells of saves: whether there is room for them, and how each one went. */
import type { RunParts } from './run-parts.ts';
import type { SaveNews } from './thread/messages.ts';

export function hearOfSave({ room, saver, periodic }: RunParts, message: SaveNews): void {
  if (message.type === 'room' || message.type === 'save-durable') room.open();
  if (message.type === 'save-failed' && message.code === 'no-space') {
    room.close();
    periodic.owe();
  }
  if (message.type !== 'room') saver.receive(message);
}
