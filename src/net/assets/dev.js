// Tells whoever develops an application what goes on behind the page: files that do not load, handlers that
// raise, reloads. Served at /tidegate/dev.js, in development only; in production that is an empty script.
(() => {
  'use strict';
  if (window.tidegateDev) return;
  window.tidegateDev = true;

  const BRIEFLY_MS = 4000;
  const RETRY_MS = [250, 500, 1000, 2000, 5000];
  const LOOK = `
    :host { all: initial; }
    section, output { font: 14px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; color: #e8eaed; }
    section { position: fixed; inset: 0; z-index: 2147483647; overflow: auto; padding: 2rem;
      background: rgb(20 22 26 / 96%); }
    section:focus { outline: none; }
    output { position: fixed; right: 1rem; bottom: 1rem; z-index: 2147483646; max-width: min(40rem, 90vw);
      padding: .4rem .8rem; border-radius: .3rem; background: #1f2937; overflow-wrap: anywhere; }
    section[hidden], output[hidden] { display: none; }
    article { max-width: 70rem; margin: 0 auto 2rem; }
    h2 { margin: 0 0 .3rem; font-size: 1.1rem; color: #ff8a80; white-space: pre-wrap; overflow-wrap: anywhere; }
    p { margin: .3rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
    pre { margin: .6rem 0; padding: .6rem; overflow-x: auto; background: #2b2f36; border-radius: .3rem; tab-size: 4; }
    mark { display: block; background: #5c2b29; color: inherit; }
    .place { color: #9ecbff; } .hint { color: #a5d6a7; } .caret { color: #ff8a80; }
    button { float: right; font: inherit; color: inherit; background: #2b2f36; border: 1px solid #9aa0a6;
      border-radius: .3rem; padding: .2rem .8rem; cursor: pointer; }
    button:focus-visible { outline: 2px solid #9ecbff; outline-offset: 2px; }`;

  const make = (name, text, className) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  };

  // ---- what is shown ----

  const host = make('tidegate-dev');
  const root = host.attachShadow({ mode: 'open' });
  const overlay = make('section');
  const corner = make('output');
  overlay.hidden = corner.hidden = true;
  overlay.tabIndex = -1;
  overlay.setAttribute('role', 'alertdialog');
  overlay.setAttribute('aria-modal', 'true');
  root.append(make('style', LOOK), overlay, corner);

  let focusedBefore = null;
  let shown = null; // 'load' or 'handler'; null: nothing is
  let timer = 0;

  const hide = () => {
    if (overlay.hidden) return;
    overlay.hidden = true;
    shown = null;
    if (focusedBefore && focusedBefore.isConnected) focusedBefore.focus();
    focusedBefore = null;
  };

  const note = (text) => {
    corner.textContent = text;
    corner.hidden = false;
    clearTimeout(timer);
    timer = setTimeout(() => { corner.hidden = true; }, BRIEFLY_MS);
  };

  const caretBelow = (line, column) =>
    [...line].slice(0, column - 1).map((character) => (character === '\t' ? '\t' : ' ')).join('') + '^';

  const source = (problem) => {
    const { first_line: first, lines } = problem.source;
    const width = String(first + lines.length).length;
    const block = make('pre');
    lines.forEach((line, index) => {
      const number = first + index;
      const head = `${String(number).padStart(width)} | `;
      const isHere = number === problem.line;
      block.append(make(isHere ? 'mark' : 'span', `${head}${line}${isHere ? '' : '\n'}`));
      if (isHere && problem.column) {
        const caret = `${' '.repeat(width)} | ${caretBelow(line, problem.column)}\n`;
        block.append(make('span', caret, 'caret'));
      }
    });
    return block;
  };

  const describe = (problem) => {
    const article = make('article');
    const place = [problem.file, problem.line].filter(Boolean).join(':');
    article.append(make('h2', problem.message));
    if (place) article.append(make('p', place, 'place'));
    if (problem.source) article.append(source(problem));
    for (const other of problem.places ?? []) {
      article.append(make('p', `${other.file}:${other.line}`, 'place'), make('pre', other.text));
    }
    if (problem.hint) article.append(make('p', problem.hint, 'hint'));
    const traceback = [problem.traceback ?? []].flat().join('\n');
    if (traceback) article.append(make('pre', traceback));
    return article;
  };

  const show = (kind, title, problems) => {
    const close = make('button', 'Close (Esc)');
    close.addEventListener('click', hide);
    if (overlay.hidden) focusedBefore = document.activeElement;
    shown = kind;
    overlay.setAttribute('aria-label', title);
    overlay.replaceChildren(close, make('p', title), ...problems.map(describe));
    overlay.hidden = false;
    overlay.focus();
  };

  overlay.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') hide();
    if (event.key !== 'Tab') return;
    event.preventDefault(); // there is one thing to go to
    overlay.querySelector('button').focus();
  });

  // ---- what is heard ----

  const hear = {
    status: () => {},
    reloaded: (payload) => {
      hide();
      note(`reloaded generation ${payload.generation} in ${payload.took_ms} ms: ${payload.report?.summary ?? ''}`);
    },
    mended: (payload) => {
      if (shown === 'load') hide();
      note(`back to generation ${payload.generation}`);
    },
    reload_failed: (payload) =>
      show('load', 'The application does not load; the code before goes on serving.', payload.problems),
    handler_failed: (payload) => {
      const name = payload.consumer ? `${payload.consumer}: ${payload.handler}` : payload.handler; // of a route
      if (shown !== 'load') show('handler', `${name} raised an error`, [payload]);
    },
  };

  let attempts = 0;
  const connect = () => {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/tidegate/dev`);
    socket.addEventListener('message', ({ data }) => {
      const { action, payload } = JSON.parse(data);
      attempts = 0;
      hear[action]?.(payload);
    });
    socket.addEventListener('close', () => {
      setTimeout(connect, RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)]);
    });
  };

  const begin = () => {
    document.documentElement.append(host);
    connect();
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin);
  else begin();
})();
