import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { defaultNames, exportedNames, parseAttachmentName } from './attachment-names.js';

const service = {
  configVarsPrefix: 'SOUK_POSTGRESQL',
  configVars: ['SOUK_POSTGRESQL_URL', 'SOUK_POSTGRESQL_POOL_URL'],
  defaultAttachment: 'DATABASE',
};

describe('attachment names', () => {
  it('take the place of the prefix in the config vars', () => {
    assert.deepEqual(exportedNames(service, 'DATABASE'), ['DATABASE_URL', 'DATABASE_POOL_URL']);
    assert.deepEqual(exportedNames(service, 'SOUK_POSTGRESQL_COBALT')[0], 'SOUK_POSTGRESQL_COBALT_URL');
  });

  it('begin with the service’s own first name, go on with colours, and never repeat', () => {
    const names = [...defaultNames(service, 7)];
    assert.equal(names[0], 'DATABASE');
    assert.match(names[1] ?? '', /^SOUK_POSTGRESQL_[A-Z]+$/);
    assert.equal(new Set(names).size, names.length);
    assert.notEqual([...defaultNames(service, 8)][1], names[1]);
    assert.equal(defaultNames({ ...service, defaultAttachment: null }, 0).next().value, 'SOUK_POSTGRESQL');
  });

  it('are upper case with underscores, as typed or made so', () => {
    assert.equal(parseAttachmentName('orders-db'), 'ORDERS_DB');
    for (const bad of ['', '1A', 'A B', 'Ä', 'A'.repeat(129), 'A;B', 'ßß', 'ŉX', 'A\n'])
      assert.throws(() => parseAttachmentName(bad), { id: 'attachment_name_invalid' });
  });
});
