// One person books seats: the six steps of the original load test, in order, every answer checked.
//
//     checkConcertSchedules ─▶ issueWaitingToken ─▶ checkQueueInfo, until admitted ─▶ reserveSeats ─▶ chargePoint ─▶ payment
//                                                    ▲      │                          ▲     │
//                                                    └─pause┘                          └taken┘  other seats
//
// A person whose answer is wrong goes home: what follows could not be checked. `users_begun` less `users_served` is how
// many did, or were still in line when the test ended.

import http from 'k6/http';
import exec from 'k6/execution';
import { sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';
import { BASE_URL, CONCERTS } from './settings.js';
import { isAdmitted, pauseAfter, measured } from './pace.js';
import * as contract from './verify.js';

const POLLS_MAX = 600; // longer than any line here; a bound so that a line that stands still ends the test
const TRIES_MAX = 20; // of finding free seats
const TAKEN = '이미 예약중인 좌석입니다.';

const begun = new Counter('users_begun');
const served = new Counter('users_served');
const conflicts = new Counter('seat_conflicts');
const sold = new Counter('seats_sold');
const pauses = new Trend('poll_pause'); // seconds
const inLine = new Trend('time_in_line', true);

http.setResponseCallback(http.expectedStatuses(200));

// The ids of a run's users start here: seconds since 2025 in the high 30 bits, iterations in the low 23. They stay below
// 2^53, and two runs against one server share no user, whatever their length.
export function firstUser() {
    return (Math.floor(Date.now() / 1000) - 1735689600) * 2 ** 23;
}

// Books as a person who has never been here before; true when everything was as promised.
export function book(firstUserOfRun) {
    const userId = firstUserOfRun + exec.scenario.iterationInTest + 1;
    const concertId = 1 + Math.floor(Math.random() * CONCERTS);
    begun.add(1);

    const schedules = checkConcertSchedules(concertId);
    if (!schedules) return false;
    const token = issueWaitingToken(concertId, userId);
    if (!token || !waitInLine(concertId, token)) return false;
    const { wanted, held } = reserveSeats(concertId, token, schedules);
    if (!held) return false;
    const price = held.reduce((sum, each) => sum + each.seatPrice, 0);
    const amount = price + 1000 * Math.floor(Math.random() * 100);
    if (!chargePoint(userId, amount)) return false;
    if (!payment(token, userId, wanted, held, price, amount - price)) return false;
    served.add(1);
    sold.add(held.length);
    return true;
}

function checkConcertSchedules(concertId) {
    const step = 'checkConcertSchedules';
    const response = get(step, `/api/v1/concert/schedules?concertId=${concertId}`);
    const schedules = contract.bodyOf(response);
    return contract.verify(step, response, {
        'status 200': response.status === 200,
        'each schedule of the concert, with its free seats': contract.areSchedules(schedules, concertId),
    }) && schedules;
}

function issueWaitingToken(concertId, userId) {
    const step = 'issueWaitingToken';
    const response = post(step, '/api/v1/waiting', { concertId, userId });
    const body = contract.bodyOf(response);
    return contract.verify(step, response, {
        'status 200': response.status === 200,
        'a token for this user and concert': contract.isToken(body, concertId, userId),
    }) && body.tokenId;
}

function waitInLine(concertId, token) {
    const step = 'checkQueueInfo';
    const since = Date.now();
    let before = Infinity;
    for (let poll = 0; poll < POLLS_MAX; poll++) {
        const response = get(step, `/api/v1/waiting?concertId=${concertId}`, token);
        const body = contract.bodyOf(response);
        const fine = contract.verify(step, response, {
            'status 200': response.status === 200,
            'the same token': body.tokenId === token,
            'a place, and the seconds that go with it': contract.isPlace(body),
            'nobody passes': body.remainingWaitingOrder <= before,
        });
        if (!fine) return false;
        if (isAdmitted(body)) {
            inLine.add(Date.now() - since);
            return true;
        }
        before = body.remainingWaitingOrder;
        const pause = pauseAfter(response);
        pauses.add(pause);
        sleep(pause);
    }
    return contract.verify(step, null, { 'admitted in the end': false });
}

// Somebody may be faster by right: that answer is as correct as a reservation, and the person picks other seats.
function reserveSeats(concertId, token, schedules) {
    const step = 'reserveSeats';
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
        const wanted = { concertId, ...pickSeats(schedules) };
        const response = post(step, '/api/v1/reservation', {
            concertId,
            concertScheduleId: wanted.schedule.concertScheduleId,
            seatIds: wanted.seatIds,
        }, token, http.expectedStatuses(200, 400));
        const body = contract.bodyOf(response);
        if (response.status === 400 && body.message === TAKEN) {
            conflicts.add(1);
            continue;
        }
        const fine = contract.verify(step, response, {
            'status 200': response.status === 200,
            'the seats asked for, held, at their price': contract.areReservations(body, wanted, 'SUSPEND'),
        });
        return { wanted, held: fine ? body : undefined };
    }
    return { held: contract.verify(step, null, { 'seats in the end': false }) || undefined };
}

// Mostly one seat, sometimes two, of the emptier of two schedules: crowded enough that conflicts happen, seldom.
function pickSeats(schedules) {
    const [one, other] = [pick(schedules), pick(schedules)];
    const schedule = one.remainingSeatCount >= other.remainingSeatCount ? one : other;
    const seat = 1 + Math.floor(Math.random() * contract.SEATS_IN_HALL);
    const seatIds = Math.random() < 0.75 ? [seat] : [seat, (seat % contract.SEATS_IN_HALL) + 1];
    return { schedule, seatIds };
}

function chargePoint(userId, amount) {
    const step = 'chargePoint';
    const response = post(step, `/api/v1/point/charge?userId=${userId}&amount=${amount}`, null);
    const body = contract.bodyOf(response);
    return contract.verify(step, response, {
        'status 200': response.status === 200,
        'the charge of this user': contract.isCharge(body, userId, amount),
        'a new balance is what was charged': body.balance === amount,
    });
}

function payment(token, userId, wanted, held, price, change) {
    const step = 'payment';
    const reservationIds = held.map((each) => each.reservationId);
    const response = post(step, '/api/v1/payment', { concertId: wanted.concertId, reservationIds }, token);
    const body = contract.bodyOf(response);
    return contract.verify(step, response, {
        'status 200': response.status === 200,
        'by this user': body.userId === userId,
        'exactly the price': body.pointAmount === price,
        'the balance is what is left': body.pointBalance === change,
        'the reservations, sold': contract.arePaid(body.reservations, held, wanted, userId),
    });
}

const pick = (list) => list[Math.floor(Math.random() * list.length)];

function get(name, path, token) {
    return http.get(BASE_URL + path, { headers: headersWith(token), tags: { name } });
}

function post(name, path, body, token, responseCallback) {
    const headers = headersWith(token);
    if (body !== null) headers['Content-Type'] = 'application/json';
    const params = { headers, tags: { name } };
    if (responseCallback) params.responseCallback = responseCallback;
    return http.post(BASE_URL + path, body === null ? null : JSON.stringify(body), params);
}

function headersWith(token) {
    return token ? { 'X-Concert-Token': token } : {};
}
