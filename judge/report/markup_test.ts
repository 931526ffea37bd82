import { Markup, markup, table } from "isolate/judge/report/markup.ts";
import { assertEquals } from "@std/assert";

Deno.test("markup escapes text, and only text", () => {
  const inner = markup`<b>${"<&>\"'"}</b>`;
  assertEquals(inner.code, "<b>&lt;&amp;&gt;&quot;&#39;</b>");
  const whole = markup`<p>${inner}${[1, "<", [inner]]}${undefined}</p>`;
  assertEquals(whole.code, `<p>${inner.code}1&lt;${inner.code}</p>`);
  assertEquals(markup`${new Markup("<br>")}`.code, "<br>");
});

Deno.test("markup keeps line breaks and tabs, and spells what cannot be seen", () => {
  assertEquals(markup`${"a\tb\r\nc\rd\x00\u202e"}`.code, "a\tb\nc\\rd\\x00\\u202e");
});

Deno.test("markup escapes what could end an attribute or an element", () => {
  assertEquals(markup`${"a'b\"c</x>&lt;"}`.code, "a&#39;b&quot;c&lt;/x&gt;&amp;lt;");
});

Deno.test("table() has headings and a caption for screen readers", () => {
  const columns = [
    { name: "A", show: ([a]: string) => a },
    { name: "B", isAmount: true, show: ([, b]: string) => b, value: () => 7 },
  ];
  assertEquals(
    /<caption[^]*<\/tr>/.exec(table(["xy"], { columns, caption: "C" }).code)?.[0],
    '<caption class="unseen">C</caption>\n' +
      '<thead><tr><th scope="col">A</th><th scope="col" class="number">B</th></tr></thead>\n' +
      '<tbody>\n<tr><th scope="row">x</th><td class="number" data-value="7">y</td></tr>',
  );
});
