import assert from 'node:assert/strict';
import { it } from 'vitest';
import { readServeLine } from './serve-line.js';

it.each([
  ['', { name: 'nothing' }],
  ['provision', { name: 'provision', plan: undefined }],
  ['  provision   large ', { name: 'provision', plan: 'large' }],
  ['change 1f2e large', { name: 'change', resource: '1f2e', plan: 'large' }],
  ['repeat 1f2e', { name: 'repeat', resource: '1f2e' }],
  ['deprovision 1f2e', { name: 'deprovision', resource: '1f2e' }],
  ['sso 1f2e', { name: 'sso', resource: '1f2e' }],
  ['clock', { name: 'clock', advanceMs: null }],
  ['clock +9h', { name: 'clock', advanceMs: 32_400_000 }],
  ['log', { name: 'log' }],
  ['quit', { name: 'quit' }],
])('"%s" is understood', (line, wish) => {
  assert.deepEqual(readServeLine(line), wish);
});

it.each([
  ['explode', /no command "explode"/],
  ['provision a b', /one plan/],
  ['change 1f2e', /change RESOURCE PLAN/],
  ['deprovision', /deprovision RESOURCE/],
  ['sso a b', /sso RESOURCE/],
  ['clock later', /clock \+8h/],
  ['clock -8h', /clock \+8h/],
  ['list all', /stands alone/],
  ['change a b c', /fewer words/],
])('of "%s" it says what is wrong', (line, message) => {
  const said = readServeLine(line);
  assert.ok(typeof said === 'string', 'it is refused');
  assert.match(said, message);
});
