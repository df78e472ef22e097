"""The service: a queue of studies, a REST interface and a page. It reads journals and holds no state of a study."""
