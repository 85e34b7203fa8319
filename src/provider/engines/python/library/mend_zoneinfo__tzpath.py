def available_timezones():
    """All names that zones are known by."""
    from zoneinfo._common import listed

    return set(listed())


module.available_timezones = available_timezones
