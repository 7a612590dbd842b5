// Every message type of the founding documents, as it is written for tidegate (spec/support/apps/seeds/),
// with the frames of a client. How they are written: spec/support/transcript.js.

import assert from 'node:assert';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { RawClient } from '../support/raw.js';
import { ROOT, Server } from '../support/server.js';
import { parseTranscript, play } from '../support/transcript.js';

// Plays the frames to `server` at `target`; blanks before them do not count.
function converse(server, target, frames) {
  const lines = frames.trim().split('\n').map((line) => line.trim());
  return play(server.port, target, parseTranscript(lines, (index) => `frame ${index + 1} at ${target}`));
}

describe('the system echo', () => {
  let server;
  before(async () => { server = await Server.start(path.join(ROOT, 'consumers')); });
  after(() => server.stop());

  it('greets, answers a ping and echoes a user message', () => converse(server, '/ws/system', `
    < {"action":"system_echo","payload":{"message":"🔧 System: Connection established!"}}
    > {"action": "user_message", "payload": {"message": "Hello"}}
    < {"action":"system_echo","payload":{"message":"🔧 System Echo: Hello"}}
    > {"action":"ping"}
    < {"action":"pong"}
    > {"action":"user_message","payload":{"message":5}}
    < {"action":"error","payload":[{"type":"string_type","loc":["payload","message"],"msg":"Input should be a valid string, got 5"}]}
  `));
});

// Both ways of sending are to write the same frames: checked when they are made, and not.
for (const outgoing of ['always', 'never']) {
  describe(`with validate_outgoing = ${outgoing}`, () => {
    let server;
    before(async () => { server = await Server.start('seeds', { args: ['--validate-outgoing', outgoing] }); });
    after(() => server.stop());

    it('a chat message has a sender by default, and may have a time', () => converse(server, '/ws/chat', `
      > {"action":"chat","payload":{"content":"Hello everyone!"}}
      < {"action":"chat_group","payload":{"content":"Hello everyone!","sender_name":"Anonymous"},"is_mine":false,"is_current":false}
      > {"action":"chat","payload":{"content":"Hello everyone!","sender_name":"Alice","timestamp":"2025-05-11T14:30:00Z"},"ref":"7"}
      < {"action":"chat_group","payload":{"content":"Hello everyone!","sender_name":"Alice","timestamp":"2025-05-11T14:30:00Z"},"ref":"7","is_mine":false,"is_current":false}
      > {"action":"chat","payload":{"content":"Hello","timestamp":null}}
      < {"action":"chat_group","payload":{"content":"Hello","sender_name":"Anonymous","timestamp":null},"is_mine":false,"is_current":false}
    `));

    it('a chat message without a payload, or with a wrong one, is told what is missing', () => converse(server, '/ws/chat', `
      > {"action":"chat"}
      < {"action":"error","payload":[{"type":"missing","loc":["payload"],"msg":"Field required"}]}
      > {"action":"chat","payload":{"sender_name":null,"timestamp":5}}
      < {"action":"error","payload":[{"type":"missing","loc":["payload","content"],"msg":"Field required"},{"type":"string_type","loc":["payload","sender_name"],"msg":"Input should be a valid string, got null"},{"type":"string_type","loc":["payload","timestamp"],"msg":"Input should be a valid string, got 5"}]}
    `));

    it('a notification is a map, which is empty by default', () => converse(server, '/ws/chat', `
      > {"action":"notification"}
      < {"action":"notification","payload":{}}
      > {"action":"quiet"}
      < {"action":"notification","payload":{}}
      > {"action":"notification","payload":{"text":"Dinner","by":"Ann"}}
      < {"action":"notification","payload":{"by":"Ann","text":"Dinner"}}
      > {"action":"notification","payload":{"text":5}}
      < {"action":"error","payload":[{"type":"string_type","loc":["payload","text"],"msg":"Input should be a valid string, got 5"}]}
    `));

    it('a group message may have a plain string', () => converse(server, '/ws/chat', `
      > {"action":"whisper","payload":"psst"}
      < {"action":"group_chat","payload":"psst","is_mine":false,"is_current":false}
    `));

    it('a message to a private room needs a membership', () => converse(server, '/ws/chat', `
      > {"action":"room_message","payload":{"room_id":"private-1","content":"Hi"}}
      < {"action":"error","payload":[{"type":"value_error","loc":["payload"],"msg":"Value error, Cannot send messages to private rooms without membership"}]}
      > {"action":"room_message","payload":{"room_id":"private-1","content":"Hi","is_member":true}}
      < {"action":"room_message","payload":{"content":"Hi","is_member":true,"room_id":"private-1"}}
      > {"action":"room_message","payload":{"room_id":"lobby","content":"Hi"}}
      < {"action":"room_message","payload":{"content":"Hi","is_member":false,"room_id":"lobby"}}
    `));

    it('a message may get a field when it is written', () => converse(server, '/ws/chat', `
      > {"action":"custom","payload":{"note":"a"}}
      < {"action":"custom","payload":{"extra":"metadata","note":"a"}}
    `));

    it('an event is made with its defaults and shows what it is', () => converse(server, '/ws/chat', `
      > {"action":"notify","payload":{"content":"Important system message","level":"warning"}}
      < {"action":"shown","payload":"notify {\\"content\\":\\"Important system message\\",\\"level\\":\\"warning\\"}"}
      < {"action":"notification","payload":{"text":"WARNING: Important system message"}}
      > {"action":"notify","payload":{"content":"Hello"}}
      < {"action":"shown","payload":"notify {\\"content\\":\\"Hello\\",\\"level\\":\\"info\\"}"}
      < {"action":"notification","payload":{"text":"INFO: Hello"}}
    `));

    it('an event is never sent to a client, neither by conn:send nor as a reply', async () => {
      const client = await RawClient.open(server.port, '/ws/chat');
      client.text('{"action":"leak"}');
      const { action, payload } = await client.nextJson();
      assert.strictEqual(action, 'shown');
      assert.match(payload, /notify/);
      assert.match(payload, /event/);
      assert.doesNotMatch(payload, /secret plans/);
      assert.strictEqual(await client.nextText(),
                         '{"action":"error","payload":{"detail":"Failed to process message"}}');
      client.destroy();
      const record = await server.record((fields) => fields.event === 'handler_failed' && fields.action === 'leak',
                                         'a line about the event');
      assert.match(record.error, /event/);
    });

    it('names are camel case on the wire, both ways, and in errors', () => converse(server, '/ws/camel', `
      > {"action": "notification", "payload": {"userName": "Alice", "messageText": "Hello"}}
      < {"action":"chat_group","payload":{"senderName":"Alice"},"is_mine":false,"is_current":false}
      < {"action":"notification","payload":{"messageText":"HELLO","userName":"Alice"}}
      > {"action":"notification","payload":{"user_name":"Alice","messageText":5}}
      < {"action":"error","payload":[{"type":"missing","loc":["payload","userName"],"msg":"Field required"},{"type":"string_type","loc":["payload","messageText"],"msg":"Input should be a valid string, got 5"}]}
    `));

    it('a discussion message is not raw by default', () => converse(server, '/ws/discussion', `
      > {"action":"new_message","payload":{"content":"Shall we?"}}
      < {"action":"member_message","payload":{"content":"Shall we?","raw":false},"is_mine":false,"is_current":false}
      < {"action":"reply","payload":{"content":"Re: Shall we?","raw":false}}
      > {"action":"new_message","payload":{"content":"<b>","raw":true}}
      < {"action":"member_message","payload":{"content":"<b>","raw":true},"is_mine":false,"is_current":false}
      < {"action":"reply","payload":{"content":"Re: <b>","raw":false}}
      > {"action":"new_message","payload":{"content":"a","raw":"yes"}}
      < {"action":"error","payload":[{"type":"bool_type","loc":["payload","raw"],"msg":"Input should be a valid boolean, got 'yes'"}]}
      > {"action":"reply","payload":{"content":"a"}}
      < {"action":"error","payload":[{"type":"union_tag_invalid","loc":["action"],"msg":"Input tag 'reply' found using 'action' does not match any of the expected tags"}]}
      > {"action":"announce","payload":{"content":"New here"}}
      < {"action":"shown","payload":"notify_people {\\"content\\":\\"New here\\"}"}
      > {"action":"ping"}
      < {"action":"pong"}
    `));

    it('an echo is a plain string', () => converse(server, '/ws/echo', `
      > {"action": "echo", "payload": "Hello, Chanx!"}
      < {"action":"echo","payload":"Echo: Hello, Chanx!"}
      > {"action":"echo","payload":{}}
      < {"action":"error","payload":[{"type":"string_type","loc":["payload"],"msg":"Input should be a valid string"}]}
      > {"action":"echo"}
      < {"action":"error","payload":[{"type":"missing","loc":["payload"],"msg":"Field required"}]}
      > {"action":"ping","payload":null}
      < {"action":"pong"}
    `));

    it('the standard messages are those of the protocol', () => converse(server, '/ws/standard', `
      > {"action":"ping","ref":1}
      < {"action":"authentication","payload":{"status_code":200,"status_text":"OK"}}
      < {"action":"authentication","payload":{"status_code":403,"status_text":"Forbidden","data":{"detail":"No such room"}}}
      < {"action":"error","payload":{"code":"odd","detail":"Something is wrong"}}
      < {"action":"error"}
      < {"action":"complete"}
      < {"action":"group_complete"}
      < {"action":"event_complete"}
      < {"action":"pong","ref":1}
      > {"action":"ping","payload":{}}
      < {"action":"error","payload":[{"type":"none_required","loc":["payload"],"msg":"Input should be null"}]}
    `));

    it('a group message tells each receiver whose it is', () => converse(server, '/ws/groups/chat', `
      + ann /ws/groups/chat?user=1
      + phone /ws/groups/chat?user=1
      + bob /ws/groups/chat?user=2
      + nobody /ws/groups/chat
      ann> {"action":"chat","payload":{"content":"Hello everyone!","sender_name":"Alice","timestamp":"2025-05-11T14:30:00Z"}}
      ann< {"action":"chat_group","payload":{"content":"Hello everyone!","sender_name":"Alice","timestamp":"2025-05-11T14:30:00Z"},"is_mine":true,"is_current":true}
      phone< {"action":"chat_group","payload":{"content":"Hello everyone!","sender_name":"Alice","timestamp":"2025-05-11T14:30:00Z"},"is_mine":true,"is_current":false}
      bob< {"action":"chat_group","payload":{"content":"Hello everyone!","sender_name":"Alice","timestamp":"2025-05-11T14:30:00Z"},"is_mine":false,"is_current":false}
      nobody< {"action":"chat_group","payload":{"content":"Hello everyone!","sender_name":"Alice","timestamp":"2025-05-11T14:30:00Z"},"is_mine":false,"is_current":false}
      nobody> {"action":"chat","payload":{"content":"Hi"}}
      nobody< {"action":"chat_group","payload":{"content":"Hi","sender_name":"Anonymous"},"is_mine":false,"is_current":true}
      ann< {"action":"chat_group","payload":{"content":"Hi","sender_name":"Anonymous"},"is_mine":false,"is_current":false}
      phone< {"action":"chat_group","payload":{"content":"Hi","sender_name":"Anonymous"},"is_mine":false,"is_current":false}
      bob< {"action":"chat_group","payload":{"content":"Hi","sender_name":"Anonymous"},"is_mine":false,"is_current":false}
    `));

    it('a group message may go to other groups, without its sender', () => converse(server, '/ws/groups/chat', `
      + ann /ws/groups/chat?user=1
      + bob /ws/groups/chat?user=2
      + board /ws/groups/announcements?user=1
      + far /ws/groups/complete
      ann> {"action":"aside","payload":{"content":"psst"}}
      bob< {"action":"chat_group","payload":{"content":"psst","sender_name":"Anonymous"},"is_mine":false,"is_current":false}
      board< {"action":"chat_group","payload":{"content":"psst","sender_name":"Anonymous"},"is_mine":true,"is_current":false}
      bob> {"action":"whisper","payload":"to all"}
      ann< {"action":"group_chat","payload":"to all","is_mine":false,"is_current":false}
      bob< {"action":"group_chat","payload":"to all","is_mine":true,"is_current":true}
    `));

    it('a group message is in camel case like a reply', () => converse(server, '/ws/groups/camel', `
      + ann
      + bob
      ann> {"action": "notification", "payload": {"userName": "Alice", "messageText": "Hello"}}
      ann< {"action":"notification","payload":{"messageText":"Hello","userName":"Alice"}}
      bob< {"action":"notification","payload":{"messageText":"Hello","userName":"Alice"}}
    `));

    it('completions say what is done: to the sender its message, to each receiver a group message', () => converse(server, '/ws/groups/complete', `
      + ann
      + bob
      ann> {"action":"chat","payload":{"content":"Hi"},"ref":"7"}
      ann< {"action":"chat_group","payload":{"content":"Hi","sender_name":"Anonymous"},"is_mine":false,"is_current":true}
      ann< {"action":"group_complete"}
      ann< {"action":"complete","ref":"7"}
      bob< {"action":"chat_group","payload":{"content":"Hi","sender_name":"Anonymous"},"is_mine":false,"is_current":false}
      bob< {"action":"group_complete"}
      bob> {"action":"aside","payload":{"content":"psst"}}
      bob< {"action":"complete"}
      ann> {"action":"chat"}
      ann< {"action":"error","payload":[{"type":"missing","loc":["payload"],"msg":"Field required"}]}
      ann< {"action":"complete"}
    `));

    it('a member of a discussion reads what is new, and its author a reply behind it', () => converse(server, '/ws/groups/discussion', `
      + ann /ws/groups/discussion?user=1
      + bob /ws/groups/discussion?user=2
      ann> {"action":"new_message","payload":{"content":"Shall we?"},"ref":1}
      ann< {"action":"member_message","payload":{"content":"Shall we?","raw":false},"is_mine":true,"is_current":true}
      ann< {"action":"reply","payload":{"content":"Re: Shall we?","raw":false},"ref":1}
      bob< {"action":"member_message","payload":{"content":"Shall we?","raw":false},"is_mine":false,"is_current":false}
    `));

    const ann = { cookie: 'sessionid=session-of-ann' };
    const bob = { cookie: 'sessionid=session-of-bob' };
    const accepted = '{"action":"authentication","payload":{"status_code":200,"status_text":"OK"}}';
    const enter = async (target, headers) => {
      const client = await RawClient.open(server.port, target, { headers });
      assert.strictEqual(await client.nextText(), accepted);
      return client;
    };

    it('the quick start echoes to who has a session, and refuses others', async () => {
      const client = await enter('/ws/echo/', ann);
      client.text('{"action": "echo", "payload": "Hello, Chanx!"}');
      assert.strictEqual(await client.nextText(), '{"action":"echo","payload":"Echo: Hello, Chanx!"}');
      client.text('{"action":"ping"}');
      assert.strictEqual(await client.nextText(), '{"action":"pong"}');
      client.destroy();
      const stranger = await RawClient.open(server.port, '/ws/echo/', { headers: { cookie: 'sessionid=guessed' } });
      assert.strictEqual(await stranger.nextText(),
                         '{"action":"authentication","payload":{"status_code":401,"status_text":"Unauthorized"}}');
      assert.strictEqual((await stranger.nextClose()).code, 4401);
      stranger.destroy();
    });

    it('several windows chat in one room of the quick start, the sender\'s too', async () => {
      const first = await enter('/ws/chat/lobby/', ann);
      const second = await enter('/ws/chat/lobby/', bob);
      const unnamed = await enter('/ws/chat/', bob);
      const elsewhere = await enter('/ws/chat/cellar/', bob);
      second.text('{"action":"ping"}');
      unnamed.text('{"action":"ping"}');
      for (const client of [second, unnamed]) assert.strictEqual(await client.nextText(), '{"action":"pong"}');
      first.text('{"action":"echo","payload":"Hello"}');
      for (const client of [first, second, unnamed])
        assert.strictEqual(await client.nextText(), '{"action":"echo","payload":"ann: Hello"}');
      elsewhere.text('{"action":"echo","payload":"Nobody?"}');
      assert.strictEqual(await elsewhere.nextText(), '{"action":"echo","payload":"bob: Nobody?"}');
      for (const client of [first, second, unnamed, elsewhere]) client.destroy();
    });
  });
}

describe('events from outside, as the founding documents send them', () => {
  const token = 'a-token-of-the-specs-that-is-long-enough';
  let server;
  before(async () => { server = await Server.start('seeds', { args: ['--api-token', token] }); });
  after(() => server.stop());

  const post = async (body) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body,
    });
    return `${answer.status} ${await answer.text()}`;
  };
  const enter = async (target) => {
    const client = await RawClient.open(server.port, target);
    client.text('{"action":"nothing"}'); // its answer comes behind everything that connecting does
    await client.nextText();
    return client;
  };

  it('a notification reaches all in the group, whatever names its handler', async () => {
    const clients = [await enter('/ws/groups/chat'), await enter('/ws/groups/chat')];
    const other = await enter('/ws/groups/announcements');
    for (const name of ['handler', 'action']) {
      const event = `{"${name}":"notify","payload":{"content":"Important system message","level":"warning"}}`;
      assert.strictEqual(await post(`{"to":{"groups":["general_announcements"]},"event":${event}}`), '200 {"receivers":2}');
      for (const client of clients)
        assert.strictEqual(await client.nextText(), '{"action":"notification","payload":{"text":"WARNING: Important system message"}}');
    }
    other.text('{"action":"chat","payload":{"content":"Hi"}}');
    assert.match(await other.nextText(), /^\{"action":"chat_group"/);
    for (const client of [...clients, other]) client.destroy();
  });

  it('its level is info when it has none, and event_complete stands behind what it sent', async () => {
    const client = await RawClient.open(server.port, '/ws/groups/complete');
    client.text('{"action":"aside","payload":{"content":"a"}}');
    assert.strictEqual(await client.nextText(), '{"action":"complete"}');
    assert.strictEqual(await post('{"to":{"groups":["complete"]},"event":{"action":"notify","payload":{"content":"Hello"}}}'),
                       '200 {"receivers":1}');
    assert.strictEqual(await client.nextText(), '{"action":"notification","payload":{"text":"INFO: Hello"}}');
    assert.strictEqual(await client.nextText(), '{"action":"event_complete"}');
    client.destroy();
  });

  it('people in a discussion are notified', async () => {
    const client = await enter('/ws/groups/discussion');
    assert.strictEqual(await post('{"to":{"groups":["discussion"]},"event":{"handler":"notify_people","payload":{"content":"New here"}}}'),
                       '200 {"receivers":1}');
    assert.strictEqual(await client.nextText(), '{"action":"notify_people","payload":{"content":"New here"}}');
    client.destroy();
  });
});
