// The client "ws" of npm: a conversation with a program, line by line, and the end of its input.

const { default: WebSocket } = await import(process.argv[3]);

const socket = new WebSocket(`${process.argv[2].replace("http", "ws")}/api/v2/connect`);
const content = "for line in iter(input, ''): print('got', line, flush=True)\n";
const lines = ["first", "second", ""];
const messages = [];
socket.on(
  "open",
  () =>
    socket.send(
      JSON.stringify({ type: "init", language: "python", version: "*", files: [{ content }] }),
    ),
);
socket.on("message", (text) => {
  const message = JSON.parse(text);
  messages.push(message);
  const wantsLine = message.type === "stage" || message.type === "data";
  if (wantsLine && lines.length > 0) {
    socket.send(JSON.stringify({ type: "data", stream: "stdin", data: `${lines.shift()}\n` }));
  }
});
socket.on("close", (code) => console.log(JSON.stringify({ code, messages })));
