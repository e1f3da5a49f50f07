// Marks in the text of a message. The rule above all: nothing of a text is lost, whatever is in it.

import fc from 'fast-check';
import { h } from 'preact';
import { describe, expect, it } from 'vitest';
import { PAYLOADS } from '../e2e/xss-payloads';
import { addressesIn } from '../src/view/links';
import { type Block, parse, plainText, textOf } from '../src/view/markup';
import { MessageText } from '../src/view/message-text';
import { elements, textIn } from './elements';

/** The source, written again from the tree and the marks that its nodes know. */
function sourceOf(block: Block): string {
  if (typeof block === 'string') return block;
  if ('quote' in block)
    return block.quote
      .map(sourceOf)
      .join('')
      .split(/(?<=\n)/u)
      .map(quoted)
      .join('');
  if ('lines' in block) return `\`\`\`${block.language}\n${block.lines}\n\`\`\`${block.end}`;
  if ('code' in block) return `${block.ticks}${block.code}${block.ticks}`;
  if ('href' in block) return block.text;
  return `${block.mark}${block.children.map(sourceOf).join('')}${block.mark}`;
}

const quoted = (line: string) => `> ${line}`;

/** As it would be written in HTML, which nothing here ever does. */
function shape(block: Block): string {
  if (typeof block === 'string') return block;
  if ('quote' in block) return `<q>${block.quote.map(shape).join('')}</q>`;
  if ('lines' in block) return `<pre ${block.language}>${block.lines}</pre>${block.end}`;
  if ('code' in block) return `<code>${block.code}</code>`;
  if ('href' in block) return `<a>${block.text}</a>`;
  const tag = { '**': 'b', '*': 'i', _: 'i', '~~': 's' }[block.mark];
  return `<${tag}>${block.children.map(shape).join('')}</${tag}>`;
}

const shapes = (text: string) => parse(text).map(shape).join('');

describe('marks', () => {
  it.each([
    ['a **b** c', 'a <b>b</b> c'],
    ['*a* and _b_, ~~c~~.', '<i>a</i> and <i>b</i>, <s>c</s>.'],
    ['**a *b* c** ***d***', '<b>a <i>b</i> c</b> <b><i>d</i></b>'],
    ['***a* b** and **c *d***', '<b><i>a</i> b</b> and <b>c <i>d</i></b>'],
    ['_**a**_ (*b*) "*c*"!', '<i><b>a</b></i> (<i>b</i>) "<i>c</i>"!'],
    ['use `a*b*c` and ``a ` b``', 'use <code>a*b*c</code> and <code>a ` b</code>'],
    ['the `Foo`s, *`x`*', 'the <code>Foo</code>s, <i><code>x</code></i>'],
    ['这是**重要**的，「*强调*」', '这是<b>重要</b>的，「<i>强调</i>」'],
    ['مرحبا *بك* هنا', 'مرحبا <i>بك</i> هنا'],
    ['❤️*so* 😀**much**😀', '❤️<i>so</i> 😀<b>much</b>😀'],
    ['*see https://a.example/_b_/c*', '<i>see <a>https://a.example/_b_/c</a></i>'],
    [
      '_https://a.example_ `https://b.example`',
      '<i><a>https://a.example</a></i> <code>https://b.example</code>',
    ],
    ['*a **b* c**', '<i>a **b</i> c**'],
    ['*a *b*', '*a <i>b</i>'],
  ])('in %j', (text, expected) => {
    expect(shapes(text)).toBe(expected);
  });

  it.each([
    ...[
      'snake_case and _private',
      '__init__',
      '2 * 3 * 4',
      '2*3*4 = 24',
      'a*b*c',
      '*',
      '**',
      '* * *',
      '****',
    ],
    ...['* one\n* two', 'a lone * here', '*a', 'a*', '* a *', '**a*b', '~100 ~200', '~~', 'it`s and that`s'],
    ...[
      '/* a */ b /* c */',
      '*/test/*',
      'x=`y`',
      'ls *.ts *.js',
      '*a\nb*',
      '`a\nb`',
      '>',
      '> ',
      '>:-)',
      '>no',
      'a > b',
    ],
    ...[
      '```',
      '```\n```',
      '```js\nopen',
      '``` a\nb\n```',
      '[a](https://',
      '5 < 6 > 4',
      '🙂 :* :*',
      '~~~a~~~',
    ],
    ...['f(*args, **kwargs)', '#*#*#', '_'.repeat(20), '-'.repeat(20), 'C:\\*\\*', '100%*2*'],
  ])('are none in %j', (text) => {
    expect(parse(text)).toEqual([text]);
  });
});

describe('lines that begin with a sign', () => {
  it.each([
    ['> a\n> *b*\nc', '<q>a\n<i>b</i>\n</q>c'],
    ['a\n> b', 'a\n<q>b</q>'],
    ['> > a', '<q>> a</q>'],
    ['```\na *b*\n\n> c\n```', '<pre >a *b*\n\n> c</pre>'],
    ['a\n```ts\nb\n```\nc', 'a\n<pre ts>b</pre>\nc'],
    ['```\na\n```\n```\nb\n```', '<pre >a</pre>\n<pre >b</pre>'],
    ['```\na\n```js\nb\n```', '<pre >a\n```js\nb</pre>'],
    ['> ```\n> a\n> ```', '<q>```\na\n```</q>'],
  ])('in %j', (text, expected) => {
    expect(shapes(text)).toBe(expected);
  });
});

/** Texts full of what could be a mark. */
const marked = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '*',
        '**',
        '***',
        '_',
        '~~',
        '`',
        '``',
        '```',
        '\n',
        '> ',
        '\n```\n',
        '\n> ',
        ' ',
        '[',
        ')',
      ),
      fc.constantFrom(
        'a',
        'word',
        'https://a.example',
        'mailto:a@b',
        '😀',
        'é',
        '字',
        '\u202e',
        '\ud800',
        '<b>',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));

describe('nothing is lost', () => {
  it('of any text: with the marks that were used it is the source again', () => {
    fc.assert(
      fc.property(marked, (text) => {
        expect(parse(text).map(sourceOf).join('')).toBe(text);
      }),
      { numRuns: 3_000 },
    );
  });

  it('between the tree and what is drawn of it', () => {
    fc.assert(
      fc.property(marked, (text) => {
        const drawn = h(MessageText, { text });
        expect(textIn(drawn)).toBe(parse(text).map(textOf).join(''));
        expect(plainText(text)).toBe(textIn(drawn));
      }),
    );
  });

  it('of what tries to be HTML: it is drawn as it was written, without any element but links', () => {
    for (const payload of [...PAYLOADS, '<img src=x onerror=alert(1)>']) {
      const drawn = h(MessageText, { text: payload });
      expect(textIn(drawn)).toBe(payload);
      expect(
        elements(drawn)
          .map(({ type }) => type)
          .filter((type) => type !== 'div' && type !== 'a'),
      ).toEqual([]);
    }
  });

  it('and nothing is made of it but these elements, without any attribute that the text could choose', () => {
    const allowed: Record<string, string[]> = {
      div: ['class'],
      a: ['href', 'rel', 'target'],
      pre: ['aria-label', 'dir', 'role', 'tabIndex'],
      span: ['class'],
      code: ['dir'],
      blockquote: ['dir'],
    };
    fc.assert(
      fc.property(marked, (text) => {
        for (const { type, props } of elements(h(MessageText, { text }))) {
          expect(['div', 'a', 'pre', 'span', 'code', 'blockquote', 'strong', 'em', 's']).toContain(type);
          const names = Object.keys(props).filter((name) => name !== 'children');
          expect(allowed[String(type)] ?? []).toEqual(expect.arrayContaining(names));
          if (type === 'a') expect(props.href).toMatch(/^(?:https?:\/\/|mailto:)/);
        }
      }),
    );
  });
});

describe('the time', () => {
  const many = 200_000;
  it.each([
    ...[
      '*',
      '**a ',
      '*a_',
      '[',
      ']',
      '`',
      '``a`',
      '_a ',
      '~~a',
      '> ',
      '>',
      '\n> ',
      '```\n',
      '```js\n',
      '***a',
    ],
    ...['https://a.example/]', 'https://a.example ', 'mailto:', '*_', '(*', '*) ', 'https:', '😀*', '`*_~'],
  ])('grows with the length alone: %j', (part) => {
    const text = part.repeat(many / part.length);
    const since = performance.now();
    expect(parse(text).map(sourceOf).join('').length).toBe(text.length);
    expect(performance.now() - since).toBeLessThan(5_000);
  });

  it('of one address is not that of its brackets squared', () => {
    const text = `https://a.example/${']'.repeat(many)}`;
    const since = performance.now();
    expect(addressesIn(text)[0]?.end).toBe('https://a.example/'.length);
    expect(performance.now() - since).toBeLessThan(5_000);
  });

  it('and the depth stay small, so that drawing does not run out of stack', () => {
    const text = '*_~~**a '.repeat(2_500);
    expect(
      elements(h(MessageText, { text: text + text.split('').toReversed().join('') })).length,
    ).toBeGreaterThan(0);
  });
});
