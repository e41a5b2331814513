"""Routes that answer interactions: the first answer, the original, the follow-ups."""

from collections.abc import Iterable

from playground.discord.limits.messages import check_choices, check_draft, check_not_empty
from playground.discord.limits.modals import check_modal
from playground.discord.limits.voice_messages import silent
from playground.discord.permissions import Permission
from playground.discord.refusal import Problems, RefusalError
from playground.discord.rest.asked import Asked
from playground.discord.rest.routes import NOTHING, Outcome, Route
from playground.discord.wire import Json, JsonObject, number, objects, section
from playground.discord.world import World
from playground.discord.world.directs import FILE_LIMIT
from playground.discord.world.drafts import Draft, MessageFlag
from playground.discord.world.interactions import Interaction, Reply
from playground.discord.world.messages import Message


class AnswerRoutes:
    """Owns nothing: checks the forms and hands them to the world's interactions."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> Iterable[Route]:
        """Return the routes; a token in the path stands for the bot's own."""
        hook = "/webhooks/{application}/{token}"
        return (
            Route("POST", "/interactions/{interaction}/{token}/callback", self._respond, open=True),
            Route("POST", hook, self._follow_up, open=True),
            Route("GET", f"{hook}/messages/{{message}}", self._get, open=True),
            Route("PATCH", f"{hook}/messages/{{message}}", self._edit, open=True),
            Route("DELETE", f"{hook}/messages/{{message}}", self._delete, open=True),
        )

    def _respond(self, asked: Asked) -> Outcome:
        form = asked.form()
        reply = _reply(number(form, "type"))
        data = section(form, "data")
        draft = Draft()
        match reply:
            case Reply.MESSAGE | Reply.UPDATE:
                draft = asked.draft(data)
                draft = silent(draft) if reply is Reply.UPDATE else draft
                self._check_voice(draft, asked.word("token"))
                check_draft(draft, path="data.", file_limit=self._file_limit(asked.word("token")))
                if reply is Reply.MESSAGE:
                    check_not_empty(draft)
            case Reply.DEFERRED:
                draft = silent(Draft(flags=number(data, "flags")))
            case Reply.CHOICES:
                check_choices(objects(data, "choices"))
            case Reply.MODAL:
                check_modal(data)
            case Reply.DEFERRED_UPDATE:
                pass
        interaction = self._world.interactions.respond(
            asked.id("interaction"),
            asked.word("token"),
            reply,
            draft,
            choices=objects(data, "choices") if reply is Reply.CHOICES else (),
            modal=data if reply is Reply.MODAL else None,
        )
        if asked.query.get("with_response") not in {"1", "true", "True"}:
            return NOTHING
        return Outcome(self._callback_payload(interaction, reply))

    def _callback_payload(self, interaction: Interaction, reply: Reply) -> JsonObject:
        told: dict[str, Json] = {"id": str(interaction.id), "type": int(interaction.kind)}
        payload: dict[str, Json] = {"interaction": told}
        message = None if interaction.original_id is None else self._world.messages.find(interaction.original_id)
        if message is not None:
            told["response_message_id"] = str(message.id)
            told["response_message_loading"] = message.loading
            told["response_message_ephemeral"] = message.ephemeral
        resource: dict[str, Json] = {"type": int(reply)}
        if message is not None and reply in {Reply.MESSAGE, Reply.DEFERRED, Reply.UPDATE}:
            resource["message"] = self._world.messages.payload(message)
        payload["resource"] = resource
        return payload

    def _follow_up(self, asked: Asked) -> Outcome:
        interaction = self._world.interactions.by_token(asked.word("token"))
        draft = silent(asked.draft(asked.form()))
        check_draft(draft, file_limit=self._file_limit(interaction.token))
        check_not_empty(draft)
        return self._shown(self._world.interactions.follow_up(interaction, draft))

    def _get(self, asked: Asked) -> Outcome:
        interaction = self._world.interactions.by_token(asked.word("token"))
        return self._shown(self._world.interactions.message(interaction, _message_id(asked)))

    def _edit(self, asked: Asked) -> Outcome:
        interaction = self._world.interactions.by_token(asked.word("token"))
        old = self._world.interactions.message(interaction, _message_id(asked))
        if old.flags & MessageFlag.VOICE:
            raise RefusalError(400, 50162, "Voice messages cannot be edited.")
        draft = silent(asked.draft(asked.form()))
        names = frozenset(attachment.filename for attachment in old.attachments)
        check_draft(draft, file_limit=self._file_limit(interaction.token), old_files=names)
        return self._shown(self._world.interactions.edit(interaction, _message_id(asked), draft))

    def _delete(self, asked: Asked) -> Outcome:
        interaction = self._world.interactions.by_token(asked.word("token"))
        self._world.interactions.delete(interaction, _message_id(asked))
        return NOTHING

    def _shown(self, message: Message) -> Outcome:
        return Outcome(self._world.messages.payload(message))

    def _file_limit(self, token: str) -> int:
        found = self._world.interactions.find(token)
        if found is None:
            return 0
        return FILE_LIMIT if found.guild_id is None else self._world.guilds.server(found.guild_id).file_limit

    def _check_voice(self, draft: Draft, token: str) -> None:
        found = self._world.interactions.find(token)
        if not draft.flags & MessageFlag.VOICE or found is None or found.guild_id is None:
            return
        bot_id = self._world.bot.id
        may = self._world.guilds.may(guild_id=found.guild_id, user_id=bot_id, channel_id=found.channel_id)
        if not may & Permission.SEND_VOICE_MESSAGES:
            raise RefusalError(403, 50173, "You cannot send voice messages in this channel.")


def _message_id(asked: Asked) -> int | None:
    return None if asked.word("message") == "@original" else asked.id("message")


def _reply(kind: int) -> Reply:
    if kind not in set(Reply):
        problems = Problems()
        problems.add("type", "BASE_TYPE_CHOICES", f"Value must be one of {sorted(map(int, Reply))}.")
        problems.raise_if_any()
    return Reply(kind)
