// The head of the line: the one difference between a run against a yardstick and a run against Usher.
//
// k6 takes more CPU than either server, so latencies can be compared only when k6 does the same work at the same pace: same users,
// same six steps, same number of polls, same pauses, same parsing and checking of equally long bodies. A server that answers
// `return 200` admits nobody, so there the line is kept here. Iterations are numbered in the order in which they start, and a line
// that admits R a second lets number i in at i / R seconds, or at once when that has passed. Usher's lines do the same together, R
// being the admissions of all concerts. The pause between two polls is the mean measured in the run against Usher (its
// `Retry-After`, and the part that people add). k6/run prints the requests a second of both runs, so that their equality can be
// checked.

import exec from 'k6/execution';
import { ADMISSIONS_PER_SECOND, CONCERTS, PAUSE, YARDSTICK } from './settings.js';

export const measured = YARDSTICK === ''; // false: a yardstick; its answers are parsed but mean nothing

// Whether this iteration's user is at the head of the line by `answer`, the body of a poll.
export function isAdmitted(answer) {
    if (measured) return answer.remainingWaitingOrder === 0;
    const waited = (Date.now() - exec.scenario.startTime) / 1000;
    return waited >= exec.scenario.iterationInTest / (ADMISSIONS_PER_SECOND * CONCERTS);
}

// Seconds until the next poll: the server's Retry-After, else one; and up to a quarter more, because people's clocks do not tick
// together.
export function pauseAfter(response) {
    if (!measured) return PAUSE * (0.9 + Math.random() * 0.2);
    const asked = Number(response.headers['Retry-After'] || 1);
    return asked * (1 + Math.random() / 4);
}
