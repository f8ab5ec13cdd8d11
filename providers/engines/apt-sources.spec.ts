import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { debianMirrors, parseDeb822, parseList } from './apt-sources.js';

describe('apt sources', () => {
  it('reads deb822 paragraphs, without comments, disabled ones and sources of code', () => {
    const text = [
      'Types: deb deb-src',
      '# a comment inside',
      'URIs: http://mirror.example/debian',
      '  http://second.example/debian',
      'Suites: bookworm bookworm-updates',
      'Components: main contrib',
      'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg',
      '',
      'Types: deb',
      'Enabled: no',
      'URIs: http://off.example/debian',
      'Suites: bookworm',
      'Components: main',
      '',
      'Types: deb-src',
      'URIs: http://code.example/debian',
      'Suites: bookworm',
      'Components: main',
    ].join('\n');
    const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
    const common = {
      suites: ['bookworm', 'bookworm-updates'],
      components: ['main', 'contrib'],
      signedBy: keyring,
    };
    assert.deepEqual(parseDeb822(text), [
      { uri: 'http://mirror.example/debian', ...common },
      { uri: 'http://second.example/debian', ...common },
    ]);
  });

  it('reads one-line sources with options', () => {
    const text = [
      '# deb http://comment.example/debian bookworm main',
      'deb-src http://code.example/debian bookworm main',
      'deb [arch=amd64 signed-by=/etc/key.gpg] http://mirror.example/debian trixie main non-free # said why',
    ].join('\n');
    assert.deepEqual(parseList(text), [
      {
        uri: 'http://mirror.example/debian',
        suites: ['trixie'],
        components: ['main', 'non-free'],
        signedBy: '/etc/key.gpg',
      },
    ]);
  });

  it('takes only mirrors of Debian itself, each once', () => {
    const lines = [
      'deb http://mirror.example/debian bookworm main',
      'deb http://mirror.example/debian bookworm-updates main',
      'deb http://mirror.example/debian-security bookworm-security main',
      'deb https://vendor.example/apt vendor-bookworm main',
      'deb [signed-by=/usr/share/keyrings/vendor.gpg] https://vendor.example/debian bookworm main',
      'deb cdrom:[Debian]/ bookworm main',
    ];
    const mirrors = debianMirrors(parseList(lines.join('\n')));
    assert.deepEqual(
      mirrors.map(({ uri }) => uri),
      ['http://mirror.example/debian'],
    );
  });
});
