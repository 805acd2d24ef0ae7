/** The beginning of a save: what training holds at this boundary, held on to while training goes on. */
import { encodeState } from '../checkpoint/state-json.ts';
import { alignedOrder } from './chunk-filler.ts';
import { deferred } from './deferred.ts';
import { bytesIn, type SaveInFlight, type SaveRequest, specOf } from './save-in-flight.ts';
import type { ToThread } from './thread/messages.ts';

/**
 * Takes the tensors and encodes the JSON now; what is in it afterwards is no part of the save.
 *
 * @param post tells the thread of a state that JSON would corrupt, so that whoever asked for the save hears of it
 * @throws NkatError `state-not-serializable`, after it was reported and the tensors were given back
 */
export function takeSnapshot(id: number, request: SaveRequest, post: (message: ToThread) => void): SaveInFlight {
  const content = request.content();
  const { step, kinds, reason, requests } = request;
  let state: string;
  try {
    state = encodeState(content.json);
  } catch (error) {
    content.release();
    const message = error instanceof Error ? error.message : String(error);
    post({ type: 'save-refused', step, kinds, requests, code: 'state-not-serializable', message });
    throw error;
  }
  const tensors = alignedOrder(content.tensors.map((tensor) => ({ tensor, bytes: bytesIn(tensor) })));
  return {
    id,
    request,
    specs: tensors.map(({ tensor }) => specOf(tensor)),
    tensors,
    bytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
    content,
    state,
    kinds,
    reason,
    requests,
    filler: null,
    stallMs: 0,
    stage: 'waiting',
    handedOver: deferred(),
    outcome: deferred(),
    settled: deferred(),
  };
}
