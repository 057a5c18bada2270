'use strict';
// Every public member of the declaration files has a doc comment: it is what an editor shows.
const { declarationFiles, parse, placeOf, ts, walk } = require('../helpers/declarations');

const isExported = (node) => node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
const hasDoc = (node) =>
  ts
    .getJSDocCommentsAndTags(node)
    .some((doc) => ts.isJSDoc(doc) && (doc.comment !== undefined || doc.tags !== undefined));

/** A class, interface, function, type or constant that can be imported, or that another module is given. */
function isPublic(statement) {
  const { kind } = statement;
  if (kind === ts.SyntaxKind.ModuleDeclaration) return true;
  const declares = [
    ts.SyntaxKind.ClassDeclaration,
    ts.SyntaxKind.InterfaceDeclaration,
    ts.SyntaxKind.FunctionDeclaration,
    ts.SyntaxKind.TypeAliasDeclaration,
    ts.SyntaxKind.VariableStatement,
  ];
  return declares.includes(kind) && isExported(statement);
}

/** What needs a comment of its own in a statement: itself, and the members of all that it has in braces. */
function documentable(statement) {
  const found = ts.isModuleDeclaration(statement) ? [] : [statement];
  walk(statement, (node) => {
    if (ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node) || ts.isTypeLiteralNode(node)) {
      found.push(...node.members);
    }
  });
  return found;
}

const nameOf = (node) => node.name?.getText() ?? ts.SyntaxKind[node.kind];

/** Members without a comment. One of the overloads of a name has it for all, and so has one of two accessors. */
function undocumented(source) {
  const missing = [];
  for (const statement of source.statements.filter(isPublic)) {
    const documented = new Set();
    for (const node of documentable(statement)) {
      const id = `${node.parent.pos} ${nameOf(node)}`;
      if (hasDoc(node)) documented.add(id);
      else if (!documented.has(id)) missing.push(placeOf(node));
    }
  }
  return missing;
}

test.each(declarationFiles().map(({ name, source }) => [name, source]))('%s', (_name, source) => {
  expect(source.statements.filter(isPublic)).not.toEqual([]);
  expect(undocumented(source)).toEqual([]);
});

test('what has none is found', () => {
  const text = `
    /** Options. */
    export interface Options {
      /** One. */
      one?: {
        inner: string;
      };
      two(): void;
      /** Three. */
      three(): void;
      three(x: 1): void;
    }
    /** A class. */
    export class C {
      constructor();
      get x(): 1;
    }
    export function f(): void;
    interface Hidden { x: 1 }
    declare module 'other' {
      interface Known {
        /** Yes. */
        yes: 1;
        no: 1;
      }
    }
  `;
  expect(undocumented(parse('x.d.ts', text)).map((place) => place.split(' ')[1])).toEqual([
    'Options.two',
    'inner',
    'C.constructor();',
    'C.x',
    'f',
    'Known.no',
  ]);
});
