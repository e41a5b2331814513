"""Routes of the application itself: who it is, where its gateway is, which commands it has."""

from collections.abc import Iterable

from playground.discord.limits.commands import check_commands
from playground.discord.refusal import RefusalError
from playground.discord.rest.asked import Asked
from playground.discord.rest.routes import Outcome, Route
from playground.discord.wire import Json, JsonObject, as_list, as_object
from playground.discord.world import World


class ApplicationRoutes:
    """Owns nothing: reads the world, and syncs commands into it. `shards` is what the gateway recommends."""

    def __init__(self, world: World, *, shards: int) -> None:
        self._world = world
        self._shards = shards

    def routes(self) -> Iterable[Route]:
        """Return the routes."""
        commands = "/applications/{application}/commands"
        of_guild = "/applications/{application}/guilds/{guild}/commands"
        return (
            Route("GET", "/users/@me", self._me),
            Route("GET", "/users/{user}", self._user),
            Route("GET", "/oauth2/applications/@me", self._application),
            Route("GET", "/applications/@me", self._application),
            Route("GET", "/gateway", self._gateway),
            Route("GET", "/gateway/bot", self._gateway),
            Route("GET", commands, self._commands),
            Route("PUT", commands, self._sync),
            Route("GET", of_guild, self._commands),
            Route("PUT", of_guild, self._sync),
        )

    def _me(self, _: Asked) -> Outcome:
        return Outcome(
            {**self._world.bot.payload(), "verified": True, "mfa_enabled": True, "flags": 0, "locale": "en-US"}
        )

    def _user(self, asked: Asked) -> Outcome:
        found = self._world.guilds.users.get(asked.id("user"))
        if found is None:
            raise RefusalError(404, 10013, "Unknown User")
        return Outcome(found.payload())

    def _application(self, _: Asked) -> Outcome:
        bot = self._world.bot
        data: JsonObject = {
            "id": str(bot.id),
            "name": bot.name,
            "icon": None,
            "description": "",
            "summary": "",
            "rpc_origins": [],
            "bot_public": True,
            "bot_require_code_grant": False,
            "bot": bot.payload(),
            "owner": self._world.owner.payload(),
            "verify_key": "00" * 32,
            "team": None,
            "flags": 0,
            "approximate_guild_count": len(self._world.guilds.servers),
        }
        return Outcome(data)

    def _gateway(self, asked: Asked) -> Outcome:
        data: dict[str, Json] = {"url": "wss://gateway.discord.gg"}
        if asked.path.endswith("/bot"):
            data["shards"] = self._shards
            data["session_start_limit"] = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return Outcome(data)

    def _commands(self, asked: Asked) -> Outcome:
        known = self._world.commands.known(self._scope(asked))
        return Outcome([command.payload() for command in known])

    def _sync(self, asked: Asked) -> Outcome:
        bodies = tuple(as_object(each) for each in as_list(asked.body))
        check_commands(bodies)
        made = self._world.commands.replace(bodies, guild_id=self._scope(asked))
        self._world.events.bell.ring()
        return Outcome([command.payload() for command in made])

    def _scope(self, asked: Asked) -> int | None:
        if asked.id("application") != self._world.bot.id:
            raise RefusalError(403, 20012, "You are not authorized to perform this action on this application")
        if "guild" not in (asked.names or {}):
            return None
        return self._world.guilds.server(asked.id("guild")).id
