import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { egressProblem, isPrivate, parseEgressEntry, plainAddress } from './egress.js';

describe('isPrivate', () => {
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.19.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::a00:1',
    'fc00::1',
    'fd12::1',
    'fe80::1%eth0',
    'ff02::1',
    '2001:db8::1',
    '2001:0:1::1',
    '2002:7f00:1::',
  ])('%s is', (address) => {
    assert.equal(isPrivate(plainAddress(address)), true);
  });

  it.each(['1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1', '::ffff:8.8.8.8'])(
    '%s is not',
    (address) => {
      assert.equal(isPrivate(plainAddress(address)), false);
    },
  );
});

describe('parseEgressEntry', () => {
  it.each([
    ['127.0.0.1', [{ address: '127.0.0.1', port: null }]],
    ['127.0.0.1:4000', [{ address: '127.0.0.1', port: 4000 }]],
    ['::1', [{ address: '::1', port: null }]],
    ['[0:0:0:0:0:0:0:1]:80', [{ address: '::1', port: 80 }]],
    ['::ffff:10.0.0.1', [{ address: '10.0.0.1', port: null }]],
    [
      'localhost:9',
      [
        { address: '127.0.0.1', port: 9 },
        { address: '::1', port: 9 },
      ],
    ],
    ['example.test', null],
    ['10.0.0.0/8', null],
    ['127.0.0.1:0', null],
    ['127.0.0.1:99999', null],
    ['[127.0.0.1', null],
    ['', null],
  ])('%s', (entry, rules) => {
    assert.deepEqual(parseEgressEntry(entry), rules);
  });
});

describe('egressProblem', () => {
  const allowed = [
    { address: '127.0.0.1', port: 4000 },
    { address: '10.0.0.7', port: null },
  ];
  it.each([
    ['https:', '1.1.1.1', 443, null],
    ['http:', '1.1.1.1', 80, /must begin with https/],
    ['https:', '10.0.0.8', 443, /private address 10\.0\.0\.8.*SOUK_EGRESS_ALLOW/],
    ['https:', '10.0.0.7', 443, null],
    ['http:', '10.0.0.7', 80, /must begin with https/],
    ['http:', '127.0.0.1', 4000, null],
    ['http:', '::ffff:127.0.0.1', 4000, null],
    ['http:', '127.0.0.1', 4001, /private address 127\.0\.0\.1.*127\.0\.0\.1:4001/],
    ['https:', '::1', 443, /\[::1\]:443/],
    ['ftp:', '1.1.1.1', 21, /must begin with https/],
  ])('%s to %s:%s', (protocol, address, port, expected) => {
    const problem = egressProblem({ protocol, address, port }, allowed);
    if (expected === null) assert.equal(problem, null);
    else assert.match(problem ?? '', expected);
  });
});
