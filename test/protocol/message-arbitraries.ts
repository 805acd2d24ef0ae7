/** Generators of every message, made from the schemas themselves. */
import fc from 'fast-check';
import type { Node } from '../../src/schema.ts';

export function valuesOf(node: Node): fc.Arbitrary<unknown> {
  switch (node.kind) {
    case 'literal':
      return fc.constant(node.value);
    case 'boolean':
      return fc.boolean();
    case 'number':
      return node.integer
        ? fc.integer({ min: node.min, max: node.max })
        : fc.double({ min: node.min, max: node.max, noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value));
    case 'string':
      return node.pattern === null
        ? fc.string({ unit: 'binary', maxLength: Math.min(node.maxLength, 60) })
        : fc.stringMatching(node.pattern);
    case 'one-of':
      return fc.constantFrom(...node.values);
    case 'optional':
      return valuesOf(node.of);
    case 'nullable':
      return fc.option(valuesOf(node.of), { nil: null });
    case 'list':
      return fc.array(valuesOf(node.of), { minLength: node.min, maxLength: Math.min(node.max, 5) });
    case 'record':
      return fc.dictionary(fc.string({ unit: 'binary', maxLength: 20 }), valuesOf(node.of), {
        maxKeys: 5,
        noNullPrototype: true,
      });
    case 'object':
      return fc.record(Object.fromEntries(Object.entries(node.fields).map(([key, field]) => [key, valuesOf(field)])), {
        noNullPrototype: true,
      });
    case 'either':
      return fc.oneof(...node.of.map(valuesOf));
  }
}
