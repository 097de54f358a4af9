"""Leaving while a screen opens is no error."""

from textual.css.query import NoMatches

from oomtop.tui.fleet.app import FleetApp


def test_a_screen_without_widgets_is_no_error_once_the_app_is_left() -> None:
    def app() -> FleetApp:
        return FleetApp(lambda now: (), "http://127.0.0.1:9", 3600.0, None, False)

    missing = NoMatches("No nodes match 'OptionList' on Menu()")
    leaving, staying = app(), app()
    leaving.exit()
    leaving._handle_exception(missing)
    assert (leaving._exception, leaving.return_code) == (None, 0)
    assert leaving.is_moot(missing)
    assert not leaving.is_moot(ValueError())
    assert not staying.is_moot(missing)
