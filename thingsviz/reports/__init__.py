"""What a reader takes home: pages in HTML, tables, bundles, films, comparisons."""
