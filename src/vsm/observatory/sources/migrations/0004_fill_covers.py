"""Releases from before `covers` was kept: what they tell is read from their observations."""

from django.db import migrations


def fill(apps, schema_editor):
    from vsm.observatory.sources.observations import covered, path_of

    for release in apps.get_model("sources", "Release").objects.filter(state="loaded", covers=[]):
        if path_of(release.digest).exists():
            import pyarrow.parquet as pq

            release.covers = covered(pq.read_table(path_of(release.digest)))
            release.save(update_fields=["covers"])


class Migration(migrations.Migration):
    dependencies = [("sources", "0003_series_breaks")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
