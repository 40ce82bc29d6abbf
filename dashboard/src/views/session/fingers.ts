/** Fingers on the timeline: one moves it through time, two zoom it. Up and down scrolls, as the browser does by itself. */

import { type TouchEvent, useRef } from "react";
import { pinched, type Scale, type TimeWindow } from "../../layout/scale";
import type { Pixels } from "../../model/units";

interface Held {
  readonly scale: Scale;
  readonly at: readonly Pixels[];
  /** How high the first finger stood. */
  readonly y: Pixels;
}

/** What an element is told of touches. It needs `touch-action: pan-y`: what the browser takes for itself is cancelled. */
export function useFingers(scaleNow: () => Scale, bounds: () => TimeWindow, show: (next: TimeWindow) => void) {
  const held = useRef<Held | null>(null);
  /** With each finger that comes or goes the movement begins anew. */
  const hold = (event: TouchEvent) => {
    const at = placesOf(event);
    held.current = at.length > 0 ? { scale: scaleNow(), at, y: event.targetTouches[0].clientY } : null;
  };
  return {
    onTouchStart: hold,
    onTouchEnd: hold,
    onTouchCancel: hold,
    onTouchMove: (event: TouchEvent) => {
      const from = held.current;
      const at = placesOf(event);
      if (!from || from.at.length !== at.length) return;
      // A finger that goes up or down scrolls, however it trembles.
      const isAcross = at.length > 1 || Math.abs(at[0] - from.at[0]) > Math.abs(event.targetTouches[0].clientY - from.y);
      if (isAcross) show(pinched(from.scale, from.at, at, bounds()));
    },
  };
}

/** Where fingers stand, two at the most. */
function placesOf(event: TouchEvent): Pixels[] {
  const { left } = event.currentTarget.getBoundingClientRect();
  return Array.from(event.targetTouches)
    .slice(0, 2)
    .map(({ clientX }) => clientX - left);
}
