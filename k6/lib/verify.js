// The contract's promises about each answer, as predicates over a parsed body. The name of a check begins with
// its step, so that the report shows where a promise broke.

import { check } from 'k6';
import { Counter } from 'k6/metrics';
import { ADMISSIONS_PER_SECOND } from './settings.js';
import { measured } from './pace.js';

const wrongAnswers = new Counter('wrong_answers');

const WALL = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/;
const CLOCK_SLACK = 60 * 1000; // milliseconds that the server's clock and k6's may differ
const NO_BODY = {};

// The seats of the default hall, in order of price: up to which number, grade, price in won.
const BANDS = [
    [10, 'VIP', 170000],
    [20, 'R', 150000],
    [30, 'S', 130000],
    [50, 'A', 100000],
];
export const SEATS_IN_HALL = 50;

// The body as a value; an empty object when it is not JSON, so that every check on it fails and none throws.
export function bodyOf(response) {
    try {
        return JSON.parse(response.body) || NO_BODY;
    } catch (_) {
        return NO_BODY;
    }
}

// The value at a gjson path, found by k6 itself without parsing all of the text; nothing when it is not JSON.
export function partsOf(response, path) {
    try {
        return response.json(path) || [];
    } catch (_) {
        return [];
    }
}

// Records each promise as a check; true when all are kept. Against a yardstick they are computed, at the same cost, but
// do not count.
export function verify(step, response, promises) {
    if (!measured) {
        for (const promise in promises) promises[promise] = true;
    }
    const kept = check(response, promises);
    if (!kept) {
        wrongAnswers.add(1, { name: step });
        if (__ENV.VERBOSE) console.warn(`${step}: ${response.status} ${response.error} ${response.body}`);
    }
    return kept;
}

const isId = (value) => Number.isSafeInteger(value) && value > 0;
const isWon = (value) => Number.isSafeInteger(value) && value >= 0;
const isWall = (value) => typeof value === 'string' && WALL.test(value);
// Milliseconds since the epoch of a wall time in Seoul.
const instantOf = (wall) => (isWall(wall) ? Date.parse(`${wall.replace(' ', 'T')}+09:00`) : NaN);
const isNow = (wall) => Math.abs(instantOf(wall) - Date.now()) <= CLOCK_SLACK;

export function areSchedules(list, concertId) {
    return Array.isArray(list) && list.length > 0 && list.every((each) =>
        isId(each.concertScheduleId)
        && each.concertId === concertId
        && isWall(each.playDateTime)
        && Number.isInteger(each.remainingSeatCount)
        && each.remainingSeatCount >= 0
        && each.remainingSeatCount <= SEATS_IN_HALL);
}

export function isToken(body, concertId, userId) {
    return body.userId === userId && body.concertId === concertId
        && typeof body.tokenId === 'string' && body.tokenId.length > 0 && body.tokenId.length <= 80
        && isNow(body.createdAt);
}

export function isPlace(body) {
    const order = body.remainingWaitingOrder;
    return Number.isSafeInteger(order) && order >= 0
        && body.remainingWaitingSec === Math.ceil(order / ADMISSIONS_PER_SECOND);
}

// Each requested seat once, held or sold as `status` says, at the price of its place in the hall.
export function areReservations(list, wanted, status) {
    if (!Array.isArray(list) || list.length !== wanted.seatIds.length) return false;
    const seats = new Set(list.map((each) => each.seatId));
    const ids = new Set(list.map((each) => each.reservationId));
    return ids.size === list.length
        && wanted.seatIds.every((seat) => seats.has(seat))
        && list.every((each) => {
            const band = BANDS.find(([last]) => each.seatNum <= last);
            return isId(each.reservationId)
                && each.concertId === wanted.concertId
                && typeof each.concertTitle === 'string' && each.concertTitle.length > 0
                && each.concertScheduleId === wanted.schedule.concertScheduleId
                && each.playDateTime === wanted.schedule.playDateTime
                && band !== undefined && each.seatGrade === band[1] && each.seatPrice === band[2]
                && each.reservationStatus === status;
        });
}

export function isCharge(body, userId, amount) {
    return body.userId === userId && body.amount === amount && isWon(body.balance)
        && body.transactionType === 'CHARGE' && body.paymentType === 'FREE' && isNow(body.updatedAt);
}

// The reservations that were held, now sold, with their owner and the end of their hold.
export function arePaid(list, held, wanted, userId) {
    return areReservations(list, wanted, 'SUCCESS')
        && list.every((each) => each.userId === userId && isWall(each.expiredAt)
            && held.some((before) => before.reservationId === each.reservationId && before.seatId === each.seatId));
}
