/** Limits that a person chose for a kind of card, in place of those that the card reports. */

export const CARD_PROFILES = ['rtx3080'] as const;
export type CardProfileName = (typeof CARD_PROFILES)[number];

export interface CardProfile {
  /** Training is slowed down above `controlC` so that `holdC` is held; `warnC` warns and saves, `emergencyC` stops it for a while. */
  readonly holdC: number;
  readonly controlC: number;
  readonly warnC: number;
  readonly emergencyC: number;
  readonly powerW: number;
  readonly memoryMib: number;
  /** Of `memoryMib`, to be left free. */
  readonly memoryReserveMib: number;
}

/** Source: the recovery manual that this tool follows, for an RTX 3080 of 10 GB in a desktop case. */
export const PROFILES: Readonly<Record<CardProfileName, CardProfile>> = {
  rtx3080: {
    holdC: 75,
    controlC: 80,
    warnC: 83,
    emergencyC: 85,
    powerW: 320,
    memoryMib: 10_240,
    memoryReserveMib: 1_024,
  },
};
