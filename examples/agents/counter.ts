import { defineAgent, messageText } from "@weft/agents";

export default defineAgent({
  name: "counter",
  description: "Counts the words it is sent.",
  async *respond({ messages }) {
    const words = messageText(messages.at(-1)!).split(/\s+/).filter(Boolean);
    for (const [index, word] of words.entries()) yield `${index + 1} ${word}\n`;
    yield `${words.length} words.`;
  },
});
