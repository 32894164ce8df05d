import type { ShownMessage } from "../data/message.ts";
import { MessageBody } from "../ui/message-body.tsx";

/** Messages as a model was sent them or answered: who, as what, and the text. */
export function Conversation({
  messages,
  service,
}: {
  readonly messages: readonly ShownMessage[];
  readonly service: string;
}) {
  return (
    <ol className="conversation">
      {messages.map((message, index) => (
        <li key={message.id === "" ? index : `${index} ${message.id}`} data-role={message.role}>
          <p className="speaker">
            <strong>{message.name || message.role || "unknown"}</strong>
            {message.name !== "" && message.name !== message.role && (
              <span className="quiet">{message.role}</span>
            )}
          </p>
          <MessageBody message={message} service={service} />
        </li>
      ))}
    </ol>
  );
}
