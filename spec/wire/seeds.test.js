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
  });
}
