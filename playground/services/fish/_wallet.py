"""GET /wallet/...: what an account has left. Knows no voices."""

from typing import Any

from aiohttp import web

from playground.services.fish import _refusals as refusals
from playground.services.fish._fields import read_query
from playground.services.fish._house import House, account_id
from playground.services.service import Asked

_MADE = "2026-01-01T00:00:00.000000Z"


class Wallet:
    """Owns nothing; reads the house's keys."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def credit(self, asked: Asked) -> web.StreamResponse:
        """Give the credit for the API, a decimal in a string."""
        fields = read_query(asked, frozenset({"check_free_credit", "team_id"}), "GET /wallet/{id}/api-credit")
        check = fields.flag("check_free_credit", default=False)
        fields.settle()
        return web.json_response(
            {
                **_record(asked),
                "credit": f"{max(self._house.keys[asked.key], 0.0):.6f}",
                "cumulative_top_up": "10",
                "has_phone_sha256": False,
                "has_free_credit": False if check else None,
            }
        )

    async def package(self, asked: Asked) -> web.StreamResponse:
        """Give the plan of the website, which is another purse."""
        return web.json_response({
            **_record(asked), "type": "free", "total": 8000, "balance": 8000, "finished_at": "2027-01-01T00:00:00Z"
        })  # fmt: skip


def _record(asked: Asked) -> dict[str, Any]:
    owner = account_id(asked.key)
    if asked.request.match_info["user_id"] not in {"self", owner}:
        raise refusals.forbidden()
    return {"_id": account_id(f"wallet of {owner}"), "user_id": owner, "created_at": _MADE, "updated_at": _MADE}
