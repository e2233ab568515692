// A web app of the standard library alone: shows that Node apps run on the stack.
const http = require("node:http");

const port = Number(process.env.PORT || 8000);
const server = http.createServer((request, response) => {
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.end(`Hello from Node ${process.version}\n`);
});

server.listen(port, "0.0.0.0", () => console.log(`listening on ${port}`));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
