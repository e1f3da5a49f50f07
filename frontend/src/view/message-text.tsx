// The text of a message as elements: the tree of `markup.ts`, and nothing that is not in it.

import { strings } from '../words';
import { type Block, headOf, parse } from './markup';
import type { Mark } from './markup-line';

const TAGS = { '**': 'strong', '*': 'em', _: 'em', '~~': 's' } as const satisfies Record<Mark, string>;

export function MessageText({ text }: { text: string }) {
  return <div class="text">{parse(text).map(drawn)}</div>;
}

function drawn(block: Block) {
  if (typeof block === 'string') return block;
  if ('quote' in block) return <blockquote dir="auto">{block.quote.map(drawn)}</blockquote>;
  if ('lines' in block) return <CodeBlock {...block} />;
  if ('code' in block) return <code dir="auto">{block.code}</code>;
  if ('href' in block) {
    return (
      <a href={block.href} target="_blank" rel="noopener noreferrer">
        {block.text}
      </a>
    );
  }
  const Tag = TAGS[block.mark];
  return <Tag>{block.children.map(drawn)}</Tag>;
}

function CodeBlock({ language, lines, end }: { language: string; lines: string; end: string }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for the parts of a form
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard must be able to scroll it
    <pre dir="ltr" tabIndex={0} role="group" aria-label={strings.conversation.code}>
      {language !== '' && <span class="language">{headOf(language)}</span>}
      <code>{lines}</code>
      {end}
    </pre>
  );
}
