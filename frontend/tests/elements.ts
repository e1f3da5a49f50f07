// What a component draws, without a document: its elements in order, with the components in it drawn too.

import type { ComponentChildren, VNode } from 'preact';

// biome-ignore lint/suspicious/noExplicitAny: the properties of any element
type Element = VNode<any>;
type Drawing = (props: unknown) => ComponentChildren;
type Class = new (props: unknown) => { props: unknown; render: () => ComponentChildren };

export function elements(node: ComponentChildren): readonly Element[] {
  if (Array.isArray(node)) return node.flatMap(elements);
  if (typeof node !== 'object' || node === null) return [];
  const element = node as Element;
  if (typeof element.type !== 'function') return [element, ...elements(element.props.children)];
  return elements(drawn(element));
}

function drawn({ type, props }: Element): ComponentChildren {
  // An arrow function has no prototype at all.
  const { prototype } = type as { prototype?: object };
  if (!prototype || !('render' in prototype)) return (type as Drawing)(props);
  const component = new (type as unknown as Class)(props);
  component.props = props;
  return component.render();
}

/** The text that is drawn, in order. */
export function textIn(node: ComponentChildren): string {
  if (Array.isArray(node)) return node.map(textIn).join('');
  if (typeof node === 'string' || typeof node === 'number') return String(node);
  if (typeof node !== 'object' || node === null) return '';
  const element = node as Element;
  return textIn(typeof element.type === 'function' ? drawn(element) : element.props.children);
}
