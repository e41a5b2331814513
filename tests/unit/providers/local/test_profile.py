import io

import numpy as np
import pytest

from bot.providers.local.profile import Profile, ProfileError


def rewritten(profile: Profile, **changes: object) -> bytes:
    with np.load(io.BytesIO(profile.to_bytes())) as file:
        kept = {name: file[name] for name in file.files}
    out = io.BytesIO()
    np.savez(out, **{**kept, **changes})
    return out.getvalue()


def test_profile_comes_back_as_it_was_written(profile: Profile) -> None:
    back = Profile.from_bytes(profile.to_bytes())

    assert np.allclose(back.cepstra, profile.cepstra, rtol=1e-2, atol=1e-2)
    assert (back.active == profile.active).all()


def test_profile_of_ten_seconds_stays_small(profile: Profile) -> None:
    assert len(profile.to_bytes()) < 600_000


def test_damaged_profile_is_refused(profile: Profile) -> None:
    data = profile.to_bytes()

    for damaged in (
        b"",
        b"PK",
        data[:-100],
        b"x" + data[1:],
        data.replace(b"NUMPY", b"MUMPY"),
        rewritten(profile, format=np.array(99)),
        rewritten(profile, source=np.array("nobody")),
        rewritten(profile, heard=profile.heard[:5]),
        rewritten(profile, active=np.zeros_like(profile.active)),
        rewritten(profile, active=np.array(1)),
        rewritten(profile, cepstra=np.array([{"a": 1}], dtype=object)),
    ):
        with pytest.raises(ProfileError):
            Profile.from_bytes(damaged)
