import { useId, useState } from "react";
import { keepToken } from "../app/token.ts";

/** Asks for the collector's token; it stays in this tab. */
export function TokenForm({ onGiven }: { readonly onGiven: () => void }) {
  const id = useId();
  const [token, setToken] = useState("");
  return (
    <form
      className="token-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (token.trim() === "") return;
        keepToken(token.trim());
        onGiven();
      }}
    >
      <label htmlFor={id}>Token</label>
      <input
        id={id}
        type="password"
        autoComplete="off"
        value={token}
        onChange={(event) => setToken(event.target.value)}
      />
      <button type="submit" className="button">
        Use it
      </button>
    </form>
  );
}
